/** How a feed is written; what it says depends on `seed` alone. */
export interface FeedStyle {
  /** At least so many bytes. */
  readonly bytes: number;
  readonly seed?: number;
  /** Each element on a line of its own (default), or all in one line. */
  readonly pretty?: boolean;
  /** `<atom:entry>` instead of `<entry>`. Default false. */
  readonly prefixed?: boolean;
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
export function* feed({ bytes, seed = 1, pretty = true, prefixed = false }: FeedStyle): Generator<string> {
  const next = numbers(seed);
  const [atom, own] = prefixed ? ['atom:', 'ct:'] : ['', ''];
  const line = (depth: number): string => (pretty ? `\n${'  '.repeat(depth)}` : '');
  const leaf = (depth: number, name: string, text: string): string =>
    `${line(depth)}<${name}>${text}</${name}>`;
  const instant = (): string => new Date(1209497754923 + next(1_000_000_000) * 100).toISOString();

  const error = (i: number): string =>
    `${line(5)}<${own}Error>${leaf(6, `${own}LineNumber`, String(i + 2))}` +
    leaf(6, `${own}EmailAddress`, `user${next(100_000)}.${next(100)}@mail${next(50)}.example.com`) +
    `${leaf(6, `${own}Message`, MESSAGES[next(MESSAGES.length)] ?? '')}${line(5)}</${own}Error>`;

  const entry = (): string => {
    const id = `a07e1${next(2147483646).toString(36)}${next(2147483646).toString(36)}`;
    const uri = `http://api.constantcontact.com${PATH}/${id}`;
    const type = TYPES[next(TYPES.length)] ?? '';
    const count = next(500) === 0 ? 2000 : Math.max(0, next(30) - 9);
    const errors = Array.from({ length: count }, (_, i) => error(i)).join('');
    const end = errors === '' ? '' : line(4);
    const namespace = prefixed ? '' : ' xmlns="http://ws.constantcontact.com/ns/1.0/"';
    return (
      `${line(1)}<${atom}entry>${line(2)}<${atom}link href="${PATH}/${id}" rel="edit" />${leaf(2, `${atom}id`, uri)}` +
      `${line(2)}<${atom}title type="text">${next(3) === 0 ? `${type}: ${uri.slice(0, 60)}...` : ''}</${atom}title>` +
      `${leaf(2, `${atom}updated`, instant())}${line(2)}<${atom}content type="application/vnd.ctct+xml">` +
      `${line(3)}<${own}Activity${namespace} id="${uri}">${leaf(4, `${own}Type`, type)}` +
      `${leaf(4, `${own}Status`, STATUSES[next(STATUSES.length)] ?? '')}${line(4)}<${own}Errors>${errors}${end}</${own}Errors>` +
      leaf(4, `${own}FileName`, type === 'EXPORT_CONTACTS' ? `${uri}.csv` : '') +
      `${leaf(4, `${own}TransactionCount`, String(next(5000)))}${leaf(4, `${own}RunStartTime`, instant())}` +
      `${leaf(4, `${own}RunFinishTime`, instant())}${leaf(4, `${own}InsertTime`, instant())}` +
      `${line(3)}</${own}Activity>${line(2)}</${atom}content>${line(1)}</${atom}entry>`
    );
  };

  const declarations = prefixed
    ? 'xmlns:atom="http://www.w3.org/2005/Atom" xmlns:ct="http://ws.constantcontact.com/ns/1.0/"'
    : 'xmlns="http://www.w3.org/2005/Atom"';
  let piece =
    `<?xml version='1.0' encoding='UTF-8'?><${atom}feed ${declarations}>` +
    leaf(1, `${atom}id`, `http://api.constantcontact.com${PATH}`) +
    `${line(1)}<${atom}title type="text">Activity Collection for customer: joesflowers</${atom}title>` +
    leaf(1, `${atom}updated`, instant());
  for (let written = 0; written < bytes; piece = entry()) {
    written += Buffer.byteLength(piece);
    yield piece;
  }
  yield `${line(0)}</${atom}feed>\n`;
}
