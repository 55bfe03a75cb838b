import { asCurl } from '../translate/print.js';
import type { Loss } from '../translate/loss.js';
import { nameOf, shape, type GuideCall, type GuideFacts, type Risk } from './guide.js';
import { topicsFor, UNPROVEN, type Topic } from './guide-topics.js';

/** A piece of a line: text, or a name as it is written in code. */
export type Inline = string | { readonly code: string };
export type Line = readonly Inline[];

/** What a guide is made of, whichever way it is written. */
export type Block =
  | { readonly kind: 'heading'; readonly level: 1 | 2 | 3; readonly line: Line; readonly risk?: Risk }
  | { readonly kind: 'text'; readonly line: Line }
  | { readonly kind: 'steps'; readonly lines: readonly Line[] }
  | { readonly kind: 'facts'; readonly facts: readonly (readonly [name: string, line: Line])[] }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'table'; readonly head: readonly string[]; readonly rows: readonly (readonly Line[])[] };

export interface GuideOptions {
  /** Default `From ws to v2`. */
  readonly title?: string | undefined;
  /** What was read, as people named it. */
  readonly sources?: readonly string[] | undefined;
}

export const RISK_WORDS: Readonly<Record<Risk, string>> = {
  high: 'high risk',
  medium: 'medium risk',
  low: 'low risk',
};

/** The guide, block by block. */
export function guideBlocks(facts: GuideFacts, options: GuideOptions = {}): readonly Block[] {
  const { title = 'From ws to v2', sources = [] } = options;
  return [
    heading(1, [title]),
    text(summary(facts)),
    ...(sources.length === 0 ? [] : [text(['Read: ', ...listed(sources)])]),
    ...glance(facts),
    ...calls(facts),
    ...refused(facts),
    heading(2, ['What the code must do differently']),
    text(['The riskiest first.']),
    ...topicsFor(facts).flatMap(topicBlocks),
    heading(2, ['What nobody has proven']),
    text(['Likely, and nowhere written. Find out before you rely on it:']),
    { kind: 'steps', lines: UNPROVEN.map((item) => [item]) },
    heading(2, ['Trying it']),
    text([
      code('ctct emulator'),
      ' answers ws and v2 side by side on the same contacts: send it the old calls and the new ones, and compare. ',
      code('ctct translate'),
      ' says any single request in v2.',
    ]),
  ];
}

function summary({ calls, total, others, refused }: GuideFacts): Line {
  const lossy = calls.filter(({ risk }) => risk === 'high').length;
  return [
    `${counted(total, 'call')} to ws, of ${counted(calls.length, 'kind')}. `,
    calls.length === 0
      ? ''
      : lossy === 0
        ? 'Each of them can be said in v2 without loss. '
        : `${lossy === calls.length ? 'All of them lose' : `${lossy} of these ${lossy === 1 ? 'loses' : 'lose'}`} something in v2, or cannot be said there. `,
    ...(refused.length === 0 ? [] : [`${counted(refused.length, 'call')} ws itself would not have taken. `]),
    ...(others === 0
      ? []
      : [`${counted(others, 'request')} to other places ${others === 1 ? 'was' : 'were'} passed over.`]),
  ];
}

function glance({ calls }: GuideFacts): readonly Block[] {
  if (calls.length === 0) return [];
  const rows = calls.map((call, index): readonly Line[] => [
    [String(index + 1)],
    [RISK_WORDS[call.risk]],
    [code(call.subject.activityType ?? nameOf(call)), columnWords(call)],
    [call.times.toLocaleString('en-US')],
    target(call),
    [lossWords(call.losses)],
  ]);
  return [
    heading(2, ['At a glance']),
    { kind: 'table', head: ['No.', 'Risk', 'ws', 'Times', 'v2', 'Lost'], rows },
  ];
}

const COLUMNS_SHOWN = 3;

/** ` with Email, City and 3 more`: what tells calls of one kind apart. */
function columnWords({ counterpart }: GuideCall): string {
  const body = counterpart[0]?.body;
  const names =
    body?.form === 'json'
      ? (body.json as { readonly column_names?: readonly string[] }).column_names
      : body?.file.text.split('\n', 1)[0]?.split(',');
  if (names === undefined || names[0]?.includes('@') === true) return '';
  const more = names.length - COLUMNS_SHOWN;
  return ` with ${names.slice(0, COLUMNS_SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function target({ counterpart }: GuideCall): Line {
  const [first] = counterpart;
  if (first === undefined) return ['nothing'];
  return [code(`${first.method} ${shape(new URL(first.url).pathname).replace(/^\/v2\//, '')}`)];
}

function lossWords(losses: readonly Loss[]): string {
  const lost = losses.filter(({ severity }) => severity === 'loss');
  return lost.length === 0 ? 'nothing' : [...new Set(lost.map(({ place }) => place))].join('; ');
}

function calls({ calls }: GuideFacts): readonly Block[] {
  return calls.length === 0
    ? []
    : [heading(2, ['The calls']), ...calls.flatMap((call, index) => callBlocks(call, index + 1))];
}

function callBlocks(call: GuideCall, number: number): readonly Block[] {
  const { counterpart, losses, times, place, risk } = call;
  const [first] = counterpart;
  // Credentials are a matter of all calls, and have a chapter below.
  const of = (severity: Loss['severity']) =>
    losses.filter((loss) => loss.severity === severity && loss.code !== 'CREDENTIALS_CHANGED');
  return [
    { kind: 'heading', level: 3, line: [`${number}. `, code(nameOf(call))], risk },
    text([
      `Made ${times === 1 ? 'once' : `${times.toLocaleString('en-US')} times`}, first in `,
      code(place),
      '.',
    ]),
    ...(first === undefined
      ? [text(['v2 has no counterpart.'])]
      : [
          text([
            'In v2',
            counterpart.length === 1 ? '' : `, ${counterpart.length} requests, of which this is the first`,
            first.body === undefined
              ? '; the credentials are variables:'
              : '; contacts are made up, the credentials are variables:',
          ]),
          { kind: 'code', text: asCurl(first) } as const,
        ]),
    ...lossBlocks('What is lost', of('loss')),
    ...lossBlocks('What is different', of('change')),
    ...lossBlocks('Good to know', of('note')),
  ];
}

function lossBlocks(title: string, losses: readonly Loss[]): readonly Block[] {
  if (losses.length === 0) return [];
  const lines = losses.map(({ place, message }): Line => [code(place), `: ${message}`]);
  return [text([`${title}:`]), { kind: 'steps', lines }];
}

function refused({ refused }: GuideFacts): readonly Block[] {
  if (refused.length === 0) return [];
  return [
    heading(2, ['Calls that failed already']),
    text(['ws itself would not have taken these; look whether they are needed at all.']),
    { kind: 'steps', lines: refused.map(({ place, reason }) => [code(place), `: ${reason}`]) },
  ];
}

function topicBlocks({ title, risk, before, after, steps }: Topic): readonly Block[] {
  return [
    { kind: 'heading', level: 3, line: [title], risk },
    {
      kind: 'facts',
      facts: [
        ['ws', [before]],
        ['v2', [after]],
      ],
    },
    { kind: 'steps', lines: steps.map((step) => [step]) },
  ];
}

function heading(level: 1 | 2, line: Line): Block {
  return { kind: 'heading', level, line };
}

function text(line: Line): Block {
  return { kind: 'text', line };
}

function code(name: string): Inline {
  return { code: name };
}

function listed(names: readonly string[]): Line {
  return names.flatMap((name, index) => (index === 0 ? [code(name)] : [', ', code(name)]));
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}
