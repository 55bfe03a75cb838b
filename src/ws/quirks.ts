import { UsageError } from '../activity/errors.js';
import { shown } from '../activity/shown.js';

/**
 * What a server of the ws dialect is like: `documented`, as the documentation has it, or `observed`, as the code of real
 * clients shows that the service was.
 */
export const PROFILES = ['documented', 'observed'] as const;
/** Which quirks are on: as documented, or as clients saw the service. */
export type Profile = (typeof PROFILES)[number];

interface Quirk {
  /** What the server does when it is on; and what it does when it is off. */
  readonly what: string;
  /** D: documentation. C: code of a client. R: a client was run. I: inferred. */
  readonly evidence: 'D' | 'C' | 'R' | 'I';
  readonly profiles: Readonly<Record<Profile, boolean>>;
  /** A folder with a raw request, and the answers to it with the quirk on and off. */
  readonly fixture: `test/fixtures/ws/quirks/${string}`;
}

const ALWAYS = { documented: true, observed: true } as const;
const OBSERVED = { documented: false, observed: true } as const;
const DOCUMENTED = { documented: true, observed: false } as const;

/** The oddities of the ws service, one row each: first those of its answers, then those of requests that it took. */
export const QUIRKS = {
  fullCreatedEntry: {
    what: 'The 201 answer holds the whole activity; off: an entry of links, id, title and time only.',
    evidence: 'I',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/full-created-entry',
  },
  errorCountInFeed: {
    what: 'Errors in a feed is the number of errors; off: each of them, as in a single entry.',
    evidence: 'I',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/error-count-in-feed',
  },
  errorCountInEntry: {
    what: 'Errors in a single entry ends with their number; off: only where there are more than it lists.',
    evidence: 'R',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/error-count-in-entry',
  },
  nextLinkThird: {
    what: 'The next link of a feed stands third, before first and current; off: last.',
    evidence: 'C',
    profiles: ALWAYS,
    fixture: 'test/fixtures/ws/quirks/next-link-third',
  },
  firstAndCurrentLinks: {
    what: 'Feeds have the links first and current; off: none of them.',
    evidence: 'D',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/first-and-current-links',
  },
  emptySelfLinks: {
    what: 'The plain link and the self link of a feed are empty; off: the name of the collection.',
    evidence: 'D',
    profiles: DOCUMENTED,
    fixture: 'test/fixtures/ws/quirks/empty-self-links',
  },
  customerTitle: {
    what: 'The feed is titled "Activity Collection for customer: …"; off: "Bulk Activity".',
    evidence: 'D',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/customer-title',
  },
  exportTitle: {
    what: 'Entries of exports are titled by type and URI, cut off with dots; off: empty, as all others.',
    evidence: 'D',
    profiles: ALWAYS,
    fixture: 'test/fixtures/ws/quirks/export-title',
  },
  entryAuthor: {
    what: 'Each entry names Constant Contact as its author; off: none.',
    evidence: 'C',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/entry-author',
  },
  httpIds: {
    what: 'Ids, FileName and Location begin with http: though the request came by https:; off: with its scheme.',
    evidence: 'D',
    profiles: ALWAYS,
    fixture: 'test/fixtures/ws/quirks/http-ids',
  },
  pathEditLinks: {
    what: 'Edit links are absolute paths; off: absolute URIs, as the ids are.',
    evidence: 'D',
    profiles: ALWAYS,
    fixture: 'test/fixtures/ws/quirks/path-edit-links',
  },
  absoluteFileName: {
    what: 'FileName of an export is the URI of the file; off: its bare name.',
    evidence: 'D',
    profiles: ALWAYS,
    fixture: 'test/fixtures/ws/quirks/absolute-file-name',
  },
  uploadFileName: {
    what: 'FileName of an upload is the bare name of the file sent; off: empty.',
    evidence: 'I',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/upload-file-name',
  },
  singleQuotedDeclaration: {
    what: 'The XML declaration is written with single quotes; off: with double ones.',
    evidence: 'C',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/single-quoted-declaration',
  },
  defaultNamespaces: {
    what: 'Namespaces are declared as defaults; off: Atom has the prefix atom:.',
    evidence: 'C',
    profiles: ALWAYS,
    fixture: 'test/fixtures/ws/quirks/default-namespaces',
  },
  noCharset: {
    what: 'The Content-Type of documents names no charset; off: UTF-8.',
    evidence: 'C',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/no-charset',
  },
  opaquePageTokens: {
    what: 'The next parameter is a token that tells nothing, of lower-case letters, digits and hyphens; off: an id.',
    evidence: 'D',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/opaque-page-tokens',
  },
  relativeNextLink: {
    what: 'The next link is relative, as activities?next=…; off: an absolute path.',
    evidence: 'D',
    profiles: DOCUMENTED,
    fixture: 'test/fixtures/ws/quirks/relative-next-link',
  },
  unsupportedMethod415: {
    what: 'A method that a resource does not take is answered 415; off: 405 with Allow.',
    evidence: 'C',
    profiles: ALWAYS,
    fixture: 'test/fixtures/ws/quirks/unsupported-method-415',
  },
  basicChallenge: {
    what: '401 asks for Basic credentials, before any other; off: it does not ask for them.',
    evidence: 'R',
    profiles: ALWAYS,
    fixture: 'test/fixtures/ws/quirks/basic-challenge',
  },
  digest: {
    what: 'Digest credentials are asked for and taken, as until July 2009; off: neither.',
    evidence: 'D',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/digest',
  },
  oauth1: {
    what: 'OAuth 1.0a credentials are taken, in the header, the query or the form; off: not.',
    evidence: 'D',
    profiles: ALWAYS,
    fixture: 'test/fixtures/ws/quirks/oauth1',
  },
  accessTokenInQuery: {
    what: 'An OAuth 2 token is taken from the query; off: from the Authorization header only.',
    evidence: 'C',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/access-token-in-query',
  },
  blanksInAuthorization: {
    what: 'Authorization may have several blanks behind the scheme; off: one.',
    evidence: 'C',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/blanks-in-authorization',
  },
  plainHttp: {
    what: 'Requests by http: are taken, as at first; off: refused with 403.',
    evidence: 'D',
    profiles: ALWAYS,
    fixture: 'test/fixtures/ws/quirks/plain-http',
  },
  userInAnyCase: {
    what: 'The user in the path may be spelled in any case; off: 401 unless exact.',
    evidence: 'C',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/user-in-any-case',
  },
  doubledSlashes: {
    what: 'Doubled slashes in the path are taken for one; off: 404.',
    evidence: 'C',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/doubled-slashes',
  },
  anyAccept: {
    what: 'A GET is answered whatever its Accept says; off: 406 where it leaves no room for Atom.',
    evidence: 'C',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/any-accept',
  },
  anyContentTypeOnGet: {
    what: 'A GET may have any Content-Type; off: 415 for others than Atom.',
    evidence: 'C',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/any-content-type-on-get',
  },
  lineBreakAfterForm: {
    what: 'A line break behind a form does not count; off: 400.',
    evidence: 'C',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/line-break-after-form',
  },
  flagSpellings: {
    what: 'Flags may be True, False, YES and NO; off: true and false only.',
    evidence: 'C',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/flag-spellings',
  },
  svClearInt: {
    what: 'SV_CLEAR_INT means CLEAR_CONTACTS_FROM_LISTS; off: 400.',
    evidence: 'C',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/sv-clear-int',
  },
  unencodedListUris: {
    what: 'List URIs may stand in a form without percent-encoding; off: 400.',
    evidence: 'C',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/unencoded-list-uris',
  },
  httpsListUris: {
    what: 'List URIs may begin with https:; off: 400 unless http:, as the ids of lists are.',
    evidence: 'C',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/https-list-uris',
  },
  severalListsInOneValue: {
    what: 'One value may hold several lists or columns, joined by an encoded &lists= or &columns=; off: 400.',
    evidence: 'R',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/several-lists-in-one-value',
  },
  quotedValues: {
    what: 'Values may stand in double quotes; off: the quotes are part of them.',
    evidence: 'D',
    profiles: ALWAYS,
    fixture: 'test/fixtures/ws/quirks/quoted-values',
  },
  dataInMultipart: {
    what: 'Contacts may come as a part named data; off: as dataFile only.',
    evidence: 'C',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/data-in-multipart',
  },
  multipartAsForm: {
    what: 'A multipart body may be called a urlencoded form, with a boundary; off: it is read as a form.',
    evidence: 'R',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/multipart-as-form',
  },
  boundaryFromBody: {
    what: 'A multipart body may name its boundary only by using it; off: 400.',
    evidence: 'I',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/boundary-from-body',
  },
  emailTypeColumn: {
    what: 'Uploads may have a column "email type", which is passed over; off: 400.',
    evidence: 'C',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/email-type-column',
  },
  columnSpellings: {
    what: 'Columns may be spelled freely, as Custom Field1 is; off: 400 for all but blanks and case as documented.',
    evidence: 'C',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/column-spellings',
  },
  blanksAroundCells: {
    what: 'Blanks behind the commas of an upload do not count; off: 400.',
    evidence: 'D',
    profiles: ALWAYS,
    fixture: 'test/fixtures/ws/quirks/blanks-around-cells',
  },
  trailingCommas: {
    what: 'Rows of an upload may end with more commas than the heading; off: 400.',
    evidence: 'C',
    profiles: OBSERVED,
    fixture: 'test/fixtures/ws/quirks/trailing-commas',
  },
} as const satisfies Record<string, Quirk>;

/** The name of a quirk: a key of `QUIRKS`. */
export type QuirkName = keyof typeof QUIRKS;

/** For each quirk whether it is on. */
export type QuirkSet = Readonly<Record<QuirkName, boolean>>;

export const QUIRK_NAMES = Object.keys(QUIRKS) as QuirkName[];

/**
 * The quirks of a profile, some of them switched otherwise.
 * @throws UsageError `OPTION_INVALID` for a profile or a quirk that does not exist.
 */
export function quirksOf(
  profile: Profile,
  switched: Readonly<Partial<Record<QuirkName, boolean>>> = {},
): QuirkSet {
  if (!PROFILES.includes(profile)) {
    throw new UsageError(
      'OPTION_INVALID',
      `profile: must be ${PROFILES.join(' or ')}, got ${shown(profile)}`,
    );
  }
  for (const name of Object.keys(switched)) checkQuirkName(name);
  // Sound: one value for each name.
  return Object.fromEntries(
    QUIRK_NAMES.map((name) => [name, switched[name] ?? QUIRKS[name].profiles[profile]]),
  ) as QuirkSet;
}

/**
 * Documents that keep all a record says: as observed, but with errors listed. What is written when no server is asked.
 */
export const LOSSLESS: QuirkSet = quirksOf('observed', { errorCountInFeed: false, errorCountInEntry: false });

/**
 * The switches in a text such as `digest=off, httpIds=on`.
 * @throws UsageError `OPTION_INVALID` for a name that is no quirk, or a value that is neither on nor off.
 */
export function parseQuirks(text: string): Partial<Record<QuirkName, boolean>> {
  const switched: Partial<Record<QuirkName, boolean>> = {};
  for (const part of text.split(',').map((piece) => piece.trim())) {
    if (part === '') continue;
    const [name = '', value = ''] = part.split('=', 2).map((piece) => piece.trim());
    checkQuirkName(name);
    if (value !== 'on' && value !== 'off') {
      throw new UsageError('OPTION_INVALID', `quirks: write ${name}=on or ${name}=off`);
    }
    switched[name] = value === 'on';
  }
  return switched;
}

function checkQuirkName(name: string): asserts name is QuirkName {
  if (Object.hasOwn(QUIRKS, name)) return;
  const near = QUIRK_NAMES.filter((known) => known.toLowerCase().includes(name.toLowerCase().slice(0, 5)));
  const hint =
    near.length === 0 ? `the names are ${QUIRK_NAMES.join(', ')}` : `did you mean ${near.join(', ')}?`;
  throw new UsageError('OPTION_INVALID', `quirks: "${name.slice(0, 60)}" is none; ${hint}`);
}
