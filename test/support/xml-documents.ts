import fc from 'fast-check';

import { endEvent, startEvent, textEvent } from './xml-events.js';

/** A well-formed document as it may be written, and what is in it. */
export interface WrittenDocument {
  readonly source: string;
  readonly events: readonly string[];
}

const LOCALS = [
  'a',
  'entry',
  'Errors',
  '_',
  'x-1.2',
  'été',
  '日本',
  '𐐀',
  '__proto__',
  'constructor',
  'toString',
] as const;
const NAMESPACES = { p: 'urn:p', q: 'urn:q?a&b' } as const;
const CHARACTERS = 'az09 .,-;:_/=?!"\'#%()[|\u007f\u0085\u00a0é\u0301ß€\u2028日\ufffd\u{1f600}\u{10ffff}';

/** A piece of text: as it is written, and what it says. */
type Piece = readonly [source: string, text: string];

const blanks = fc.stringMatching(/^[ \t\n]{1,3}$/).map((text) => text.replace(/\n/g, '\r\n'));
const maybeBlanks = fc.oneof({ weight: 3, arbitrary: fc.constant('') }, blanks);
const plain = (exclude: string) =>
  fc.string({
    unit: fc.constantFrom(...Array.from(CHARACTERS).filter((c) => !exclude.includes(c))),
    minLength: 1,
    maxLength: 20,
  });

const character = fc.oneof(
  fc.constantFrom(0x9, 0xa, 0xd, 0x20, 0x26, 0x3c, 0x3e, 0x5d, 0x80, 0xfffd, 0x10000, 0x10ffff),
  fc.integer({ min: 0x20, max: 0xd7ff }),
);
const reference: fc.Arbitrary<Piece> = fc.oneof(
  fc.constantFrom<Piece[]>(['&amp;', '&'], ['&lt;', '<'], ['&gt;', '>'], ['&quot;', '"'], ['&apos;', "'"]),
  fc
    .tuple(character, fc.constantFrom('', '0', '000'), fc.boolean())
    .map(([code, zeros, decimal]): Piece => [
      decimal ? `&#${zeros}${code};` : `&#x${zeros}${code.toString(16)};`,
      String.fromCodePoint(code),
    ]),
);
const instruction = fc
  .tuple(fc.constantFrom('pi', 'xml-stylesheet', 'é'), fc.option(plain('?'), { nil: undefined }))
  .map(([target, data]) => `<?${target}${data === undefined ? '' : ` ${data}?`}?>`);
const comment = plain('-').map((text) => `<!--${text}- <a> &x; ]]> -->`);
const passedOver = fc.oneof(instruction, comment);

const piece: fc.Arbitrary<Piece> = fc.oneof(
  plain('').map((text): Piece => [text, text]),
  fc.constantFrom<Piece[]>(
    ['\r\n', '\n'],
    ['\n', '\n'],
    ['\rx', '\nx'],
    [']', ']'],
    ['a>', 'a>'],
    ['\t', '\t'],
    ['  ', '  '],
  ),
  reference,
  fc
    .tuple(fc.constantFrom('', ']', ']]', '&amp;<a>', '\r', '\r\n'), plain(''))
    .map(([start, text]): Piece => [`<![CDATA[${start}${text}]]>`, start.replace(/\r\n?/, '\n') + text]),
  passedOver.map((source): Piece => [source, '']),
);

const valuePiece = (quotes: '"' | "'"): fc.Arbitrary<Piece> =>
  fc.oneof(
    plain(quotes).map((text): Piece => [text, text]),
    fc.constantFrom<Piece[]>(
      ['\r\n', ' '],
      ['\n\n', '  '],
      ['\rx', ' x'],
      ['\t', ' '],
      ['>', '>'],
      [']]>', ']]>'],
      ['/', '/'],
    ),
    reference,
  );

type Prefix = '' | keyof typeof NAMESPACES;
interface WrittenAttribute {
  readonly prefix: Prefix;
  readonly local: string;
  readonly quotes: '"' | "'";
  readonly value: readonly Piece[];
  readonly spaces: readonly [before: string, around: string];
}
interface WrittenElement {
  readonly prefix: Prefix;
  readonly local: string;
  /** The default namespace that the element declares. */
  readonly declares: string | undefined;
  readonly attributes: readonly WrittenAttribute[];
  readonly children: readonly (WrittenElement | Piece)[];
  readonly spaces: readonly [start: string, end: string];
  readonly empty: boolean;
}

const prefix = fc.constantFrom<Prefix>('', '', 'p', 'q');
const local = fc.constantFrom(...LOCALS);
const attribute: fc.Arbitrary<WrittenAttribute> = fc.constantFrom<('"' | "'")[]>('"', "'").chain((quotes) =>
  fc.record({
    prefix,
    local,
    quotes: fc.constant(quotes),
    value: fc.array(valuePiece(quotes), { maxLength: 3 }),
    spaces: fc.tuple(blanks, maybeBlanks),
  }),
);
const { element } = fc.letrec<{ element: WrittenElement }>((tie) => ({
  element: fc.record({
    prefix,
    local,
    declares: fc.option(fc.constantFrom('urn:d', 'http://www.w3.org/2005/Atom', '', 'urn:x%20y'), {
      nil: undefined,
      freq: 3,
    }),
    attributes: fc.uniqueArray(attribute, { maxLength: 3, selector: (a) => `${a.prefix}:${a.local}` }),
    children: fc.array(fc.oneof({ maxDepth: 4, withCrossShrink: true }, piece, tie('element')), {
      maxLength: 5,
    }),
    spaces: fc.tuple(maybeBlanks, maybeBlanks),
    empty: fc.boolean(),
  }),
}));

/** Documents in all the ways they may be written, without DOCTYPE. */
export const writtenDocument: fc.Arbitrary<WrittenDocument> = fc
  .record({
    root: element,
    mark: fc.boolean(),
    declaration: fc.constantFrom(
      '',
      '<?xml version="1.0"?>',
      "<?xml version='1.0' encoding='utf-8' ?>\n",
      '<?xml version="1.0"\tencoding="UTF-8" standalone="yes"?>',
    ),
    around: fc.array(fc.tuple(maybeBlanks, passedOver), { maxLength: 2 }),
  })
  .map(({ root, mark, declaration, around }) => {
    const misc = around.flat().join('');
    const body = write(
      root,
      '',
      Object.entries(NAMESPACES)
        .map(([p, uri]) => ` xmlns:${p}="${escape(uri)}"`)
        .join(''),
    );
    return {
      source: `${mark ? '\ufeff' : ''}${declaration}${misc}${body.source}${misc}\n`,
      events: joinTexts(body.events),
    };
  });

function write(element: WrittenElement, outer: string, declarations: string): WrittenDocument {
  const scope = element.declares ?? outer;
  const [start, end] = element.spaces;
  const qname = element.prefix === '' ? element.local : `${element.prefix}:${element.local}`;
  const name = {
    namespace: element.prefix === '' ? scope : NAMESPACES[element.prefix],
    local: element.local,
  };
  const declared = element.declares === undefined ? '' : ` xmlns='${escape(element.declares)}'`;
  const attributes = element.attributes.map(({ prefix, local, quotes, value, spaces }) => ({
    name: `{${prefix === '' ? '' : NAMESPACES[prefix]}}${local}`,
    source: `${spaces[0]}${prefix === '' ? '' : `${prefix}:`}${local}${spaces[1]}=${spaces[1]}${quotes}${sources(value)}${quotes}`,
    value: value.map(([, text]) => text).join(''),
  }));
  const children = element.children.map((child): WrittenDocument =>
    'local' in child
      ? write(child, scope, '')
      : { source: child[0], events: child[1] === '' ? [] : [child[1]] },
  );
  const tag = `${qname}${declarations}${declared}${attributes.map(({ source }) => source).join('')}${start}`;
  const content = children.map(({ source }) => source).join('');
  return {
    source: content === '' && element.empty ? `<${tag}/>` : `<${tag}>${content}</${qname}${end}>`,
    events: [
      startEvent(
        name,
        attributes.map((attribute) => [attribute.name, attribute.value]),
      ),
      ...children.flatMap((child, i) => {
        const source = element.children[i];
        return source !== undefined && 'local' in source ? child.events : child.events.map(textEvent);
      }),
      endEvent(name),
    ],
  };
}

function sources(pieces: readonly Piece[]): string {
  return pieces.map(([source]) => source).join('');
}

function escape(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
}

function joinTexts(events: readonly string[]): string[] {
  const joined: string[] = [];
  for (const event of events) {
    const last = joined.at(-1);
    if (event.startsWith('text ') && last?.startsWith('text ') === true) {
      const text = (part: string): string => JSON.parse(part.slice('text '.length)) as string;
      joined[joined.length - 1] = textEvent(text(last) + text(event));
    } else joined.push(event);
  }
  return joined;
}

/** A document with some bytes changed: most often not well-formed any more, but not always. */
export const damagedDocument: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    writtenDocument,
    fc.array(
      fc.record({
        at: fc.nat(),
        remove: fc.nat({ max: 3 }),
        insert: fc.oneof(
          fc.constantFrom(
            '',
            '<',
            '>',
            '/',
            '&',
            ';',
            '"',
            "'",
            '=',
            ' ',
            ']]>',
            '--',
            '?>',
            '<!',
            ':',
            '#',
            '\0',
            '\u0001',
            '\ufffe',
          ),
          fc.constantFrom(
            'xmlns:p=""',
            ' a="1"',
            ' p:a="1"',
            '<b>',
            '</b>',
            '<?xml version="1.0"?>',
            '<![CDATA[',
            '<!--',
            '&#0;',
            '&x;',
            'p:',
          ),
        ),
        raw: fc.option(fc.nat({ max: 255 }), { nil: undefined, freq: 4 }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  )
  .map(([{ source }, damages]) =>
    damages.reduce<Uint8Array>((bytes, { at, remove, insert, raw }) => {
      const from = at % (bytes.length + 1);
      const middle = raw === undefined ? Buffer.from(insert) : Buffer.from([raw]);
      return Buffer.concat([bytes.subarray(0, from), middle, bytes.subarray(from + remove)]);
    }, Buffer.from(source)),
  );
