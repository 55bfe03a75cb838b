import type { OptionSpec } from './command.js';

/** What stands for the value in the help: ` <id>`. */
export function placeOf(name: string, spec: OptionSpec): string {
  switch (spec.kind) {
    case 'flag':
    case 'switch':
      return '';
    case 'choice':
      return ` <${spec.value ?? name}>`;
    case 'duration':
      return 'bare' in spec ? ' [time]' : ' <time>';
    default:
      return ` <${spec.value}>`;
  }
}

/** What the option means, and what it takes, in a line. */
export function describeOption(spec: OptionSpec): string {
  const facts = [
    'choices' in spec ? (spec.shown ?? spec.choices).join(', ') : '',
    spec.kind === 'texts' ? 'may be given again' : '',
    'required' in spec ? 'required' : '',
    'fallback' in spec ? `default ${spec.fallback}` : '',
    'bare' in spec ? `${spec.bare} when no time is given` : '',
  ].filter((fact) => fact !== '');
  return facts.length === 0 ? spec.help : `${spec.help} (${facts.join('; ')})`;
}
