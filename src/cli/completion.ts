import { allCommands, globalOptions, valueFlags, type CommandFacts, type OptionFacts } from './reference.js';
import type { Shell } from './shells.js';

/** A script that teaches the shell to complete the commands, options and choices of `ctct`. */
export function completionScript(shell: Shell): string {
  return { bash, zsh, fish }[shell]();
}

/** Where a word stands: `''` behind `ctct`, else the path of the command, `archive read`. */
interface Place {
  readonly path: string;
  /** Words that can stand here: commands, or what an argument can be. */
  readonly words: readonly { readonly name: string; readonly summary: string }[];
  readonly options: readonly OptionFacts[];
}

function places(): Place[] {
  const all = allCommands();
  const inside = (path: readonly string[]) =>
    all
      .filter((facts) => facts.path.length === path.length + 1 && startsWith(facts, path))
      .map(({ path: own, summary }) => ({ name: own.at(-1) ?? '', summary }));
  return [
    { path: '', words: inside([]), options: globalOptions() },
    ...all.map((facts) => ({
      path: facts.path.join(' '),
      words: [...inside(facts.path), ...facts.arguments.flatMap(choicesOf)],
      options: [...facts.options, ...facts.globals],
    })),
  ];
}

function choicesOf({ help, choices }: CommandFacts['arguments'][number]) {
  return choices.map((name) => ({ name, summary: help }));
}

function startsWith({ path }: CommandFacts, start: readonly string[]): boolean {
  return start.every((word, index) => path[index] === word);
}

/** The paths that a further word leads to, as patterns of a shell's `case`: `' add'|'archive read'`. */
function steps(): string {
  return allCommands()
    .map(({ path }) => `'${path.slice(0, -1).join(' ')} ${path.at(-1) ?? ''}'`)
    .join('|');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** For each place, and each option in it that has choices: `case` branches of what may stand behind it. */
function valueCases(reply: (choices: readonly string[]) => string, files: string): string[] {
  return places().flatMap(({ path, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .map(({ flag, choices }) => {
        const act = choices.length === 0 ? files : reply(choices);
        return `    ${quoted(`${path} ${flag}`)}) ${act}; return ;;`;
      }),
  );
}

function bash(): string {
  const sets = places().map(({ path, words, options }) => {
    const names = words.map(({ name }) => name).join(' ');
    const flags = options.map(({ flag }) => flag).join(' ');
    return `    ${quoted(path)}) words=${quoted(names)} flags=${quoted(flags)} ;;`;
  });
  return `# Completion of ctct for bash. Put this into ~/.bashrc:
#   source <(ctct completion bash)
_ctct() {
  local cur prev path word words flags i
  COMPREPLY=()
  cur=\${COMP_WORDS[COMP_CWORD]}
  prev=\${COMP_WORDS[COMP_CWORD-1]}
  path=
  # Bash takes the = of --output=json for a word.
  [[ $prev == = ]] && prev=\${COMP_WORDS[COMP_CWORD-2]}
  [[ $cur == = ]] && cur=
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "$word" in
      ${valueFlags().join('|')}) [[ \${COMP_WORDS[i+1]} == = ]] && ((i++)); ((i++)); continue ;;
    esac
    case "$path $word" in
      ${steps()}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path $prev" in
${valueCases((choices) => `COMPREPLY=($(compgen -W ${quoted(choices.join(' '))} -- "$cur"))`, ':').join('\n')}
  esac
  case "$path" in
${sets.join('\n')}
  esac
  [[ $cur == -* ]] && words=$flags
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _ctct ctct
`;
}

function zsh(): string {
  const described = (items: readonly { readonly word: string; readonly text: string }[]) =>
    items.map(({ word, text }) => quoted(`${word.replaceAll(':', '\\:')}:${text}`)).join(' ');
  const sets = places().map(({ path, words, options }) => {
    const subs = described(words.map(({ name, summary }) => ({ word: name, text: summary })));
    const flags = described(options.map(({ flag, text }) => ({ word: flag, text })));
    return `    ${quoted(path)}) commands=(${subs}) options=(${flags}) ;;`;
  });
  return `#compdef ctct
# Completion of ctct for zsh. Put this into ~/.zshrc, below compinit:
#   source <(ctct completion zsh)
_ctct() {
  local path_ word prev i
  local -a commands options
  path_=
  prev=\${words[CURRENT-1]}
  if [[ \${words[CURRENT]} == --*=* ]]; then
    prev=\${words[CURRENT]%%=*}
    compset -P '*='
  fi
  for ((i = 2; i < CURRENT; i++)); do
    word=\${words[i]}
    case "$word" in
      ${valueFlags().join('|')}) ((i++)); continue ;;
    esac
    case "$path_ $word" in
      ${steps()}) path_="\${path_:+$path_ }$word" ;;
    esac
  done
  case "$path_ $prev" in
${valueCases((choices) => `compadd -- ${choices.map(quoted).join(' ')}`, '_files').join('\n')}
  esac
  case "$path_" in
${sets.join('\n')}
  esac
  if [[ \${words[CURRENT]} == -* ]]; then
    _describe -o option options
  elif (( \${#commands} )); then
    _describe command commands
  else
    _files
  fi
}
if [[ \${funcstack[1]} == _ctct ]]; then _ctct "$@"; else compdef _ctct ctct; fi
`;
}

function fish(): string {
  const lines = places().flatMap(({ path, words, options }) => {
    const here = quoted(`__ctct_at ${quoted(path)}`);
    return [
      ...(words.length === 0 ? [] : [`complete -c ctct -n ${here} -f`]),
      ...words.map(
        ({ name, summary }) => `complete -c ctct -n ${here} -a ${quoted(name)} -d ${quoted(summary)}`,
      ),
      ...options.map(({ flag, short, text, choices, takesValue }) =>
        [
          `complete -c ctct -n ${here} -l ${flag.slice(2)}`,
          ...(short === undefined ? [] : [`-s ${short.slice(1)}`]),
          ...(takesValue ? ['-r'] : []),
          ...(choices.length === 0 ? [] : [`-f -a ${quoted(choices.join(' '))}`]),
          `-d ${quoted(text)}`,
        ].join(' '),
      ),
    ];
  });
  return `# Completion of ctct for fish. Run once:
#   ctct completion fish > ~/.config/fish/completions/ctct.fish
function __ctct_at
    set -l path
    set -l skip no
    for word in (commandline -opc)[2..-1]
        if test $skip = yes
            set skip no
            continue
        end
        if contains -- "$word" ${valueFlags().join(' ')}
            set skip yes
            continue
        end
        switch "$path $word"
            case ${steps().replaceAll('|', ' ')}
                set path (string trim "$path $word")
        end
    end
    test "$path" = "$argv[1]"
end
${lines.join('\n')}
`;
}
