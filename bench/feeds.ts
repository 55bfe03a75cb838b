/** How a feed is written; what it says depends on `seed` alone. */
export interface FeedStyle {
  /** At least so many bytes. */
  readonly bytes: number;
  readonly seed?: number;
  /** Each element on a line of its own (default), or all in one line. */
  readonly pretty?: boolean;
  /** `<atom:entry>` instead of `<entry>`. Default false. */
  readonly prefixed?: boolean;
  /** Most entries. Default: as many as it takes. */
  readonly entries?: number;
  /** Most errors of an entry. Default 2,000. */
  readonly mostErrors?: number;
  /** Single quotes, attributes in another order, white space inside of tags, tabs and CR LF. Default false. */
  readonly odd?: boolean;
}

const TYPES = [
  'SV_ADD',
  'ADD_CONTACTS',
  'ADD_CONTACT_DETAIL',
  'REMOVE_CONTACTS_FROM_LISTS',
  'CLEAR_CONTACTS_FROM_LISTS',
  'EXPORT_CONTACTS',
];
const STATUSES = [
  'COMPLETE',
  'COMPLETE',
  'COMPLETE',
  'COMPLETE',
  'ERROR',
  'PENDING',
  'QUEUED',
  'RUNNING',
  'UNCONFIRMED',
];
const MESSAGES = [
  'Invalid email',
  'Unknown US/Canadian state/prov &quot;Test2&quot;',
  'Duplicate &amp; ignored',
  'Café “Zürich” – 東京 not recognised',
  '<![CDATA[Field <First Name> & "Last Name" too long]]>',
  'Birthday &#x2014; month must be 1&#160;to 12',
];
const ATOM = 'http://www.w3.org/2005/Atom';
const CTCT = 'http://ws.constantcontact.com/ns/1.0/';
const PATH = '/ws/customers/joesflowers/activities';

/** Numbers from 0 up to, not including, `below`; the same for the same seed. */
function numbers(seed: number): (below: number) => number {
  let state = (seed * 2654435761) % 2147483647 || 1;
  return (below) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
}

/** An activity feed of a given size, in pieces of one entry. */
export function* feed(style: FeedStyle): Generator<string> {
  const { bytes, seed = 1, pretty = true, prefixed = false, odd = false } = style;
  const { entries = Infinity, mostErrors = 2000 } = style;
  const next = numbers(seed);
  const [atom, own] = prefixed ? ['atom:', 'ct:'] : ['', ''];
  const [lineEnd, indent, gap] = odd ? ['\r\n', '\t', ' '] : ['\n', '  ', ''];
  const line = (depth: number): string => (pretty ? lineEnd + indent.repeat(depth) : '');
  const start = (name: string, ...attributes: (readonly [name: string, value: string])[]): string => {
    const written = attributes.map(([key, value]) => (odd ? `${key} = '${value}'` : `${key}="${value}"`));
    if (odd) written.reverse();
    return `<${[name, ...written].join(' ')}${gap}`;
  };
  const leaf = (depth: number, name: string, text: string): string =>
    `${line(depth)}<${name}>${text}</${name}${gap}>`;
  const instant = (): string => new Date(1209497754923 + next(1_000_000_000) * 100).toISOString();

  const error = (i: number): string =>
    `${line(5)}<${own}Error>${leaf(6, `${own}LineNumber`, String(i + 2))}` +
    leaf(6, `${own}EmailAddress`, `user${next(100_000)}.${next(100)}@mail${next(50)}.example.com`) +
    `${leaf(6, `${own}Message`, MESSAGES[next(MESSAGES.length)] ?? '')}${line(5)}</${own}Error>`;

  const namespace: (readonly [string, string])[] = prefixed ? [] : [['xmlns', CTCT]];
  const entry = (): string => {
    const id = `a07e1${next(2147483646).toString(36)}${next(2147483646).toString(36)}`;
    const uri = `http://api.constantcontact.com${PATH}/${id}`;
    const type = TYPES[next(TYPES.length)] ?? '';
    const count = Math.min(mostErrors, next(500) === 0 ? 2000 : Math.max(0, next(30) - 9));
    const errors = Array.from({ length: count }, (_, i) => error(i)).join('');
    return (
      `${line(1)}<${atom}entry>${line(2)}${start(`${atom}link`, ['href', `${PATH}/${id}`], ['rel', 'edit'])} />` +
      `${leaf(2, `${atom}id`, uri)}${line(2)}${start(`${atom}title`, ['type', 'text'])}>` +
      `${next(3) === 0 ? `${type}: ${uri.slice(0, 60)}...` : ''}</${atom}title>${leaf(2, `${atom}updated`, instant())}` +
      `${line(2)}${start(`${atom}content`, ['type', 'application/vnd.ctct+xml'])}>` +
      `${line(3)}${start(`${own}Activity`, ...namespace, ['id', uri])}>${leaf(4, `${own}Type`, type)}` +
      leaf(4, `${own}Status`, STATUSES[next(STATUSES.length)] ?? '') +
      `${line(4)}<${own}Errors>${errors}${errors === '' ? '' : line(4)}</${own}Errors>` +
      leaf(4, `${own}FileName`, type === 'EXPORT_CONTACTS' ? `${uri}.csv` : '') +
      `${leaf(4, `${own}TransactionCount`, String(next(5000)))}${leaf(4, `${own}RunStartTime`, instant())}` +
      `${leaf(4, `${own}RunFinishTime`, instant())}${leaf(4, `${own}InsertTime`, instant())}` +
      `${line(3)}</${own}Activity>${line(2)}</${atom}content>${line(1)}</${atom}entry>`
    );
  };

  const namespaces: (readonly [string, string])[] = prefixed
    ? [
        ['xmlns:atom', ATOM],
        ['xmlns:ct', CTCT],
      ]
    : [['xmlns', ATOM]];
  let piece =
    `<?xml version='1.0' encoding='UTF-8'?>${start(`${atom}feed`, ...namespaces)}>` +
    leaf(1, `${atom}id`, `http://api.constantcontact.com${PATH}`) +
    leaf(1, `${atom}title`, 'Activity Collection for customer: joesflowers') +
    leaf(1, `${atom}updated`, instant());
  for (let written = 0, count = 0; written < bytes && count <= entries; piece = entry(), count++) {
    written += Buffer.byteLength(piece);
    yield piece;
  }
  yield `${line(0)}</${atom}feed>\n`;
}

/** The ways to write one and the same feed that are measured. Readers must not be fast on one only. */
export const STYLES = {
  pretty: {},
  minified: { pretty: false },
  prefixed: { prefixed: true },
  odd: { odd: true },
} as const satisfies Record<string, Omit<FeedStyle, 'bytes'>>;

export type StyleName = keyof typeof STYLES;
