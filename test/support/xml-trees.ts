import fc from 'fast-check';

import type { XmlElement } from '../../src/format/xml-writer.js';

const character = fc.oneof(
  fc.constantFrom(...Array.from('<>&"\'\t\n\r ]x;#é\u0085\u2028\ufffd😀')),
  fc
    .string({ unit: 'binary', minLength: 1, maxLength: 1 })
    .filter((c) => c >= ' ' && c !== '\ufffe' && c !== '\uffff'),
);
const text = fc
  .array(
    fc.oneof(
      { weight: 8, arbitrary: character },
      fc.constantFrom('&lt;', '&#13;', ']]>', '&amp;amp;', '<b>', '\r\n'),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => pieces.join(''));

const local = fc.constantFrom('a', 'entry', 'Errors', '_-.1', 'été', 'toString');
const { tree } = fc.letrec<{ tree: XmlElement }>((tie) => ({
  tree: fc
    .record({
      name: local,
      attributes: fc.dictionary(local, text, { maxKeys: 3, noNullPrototype: true }),
      children: fc.array(fc.oneof({ maxDepth: 4 }, text, tie('tree')), { maxLength: 4 }),
    })
    // Adjacent texts cannot be told apart once they are written, and an empty one not from none.
    .map((element) => ({
      ...element,
      children: element.children.filter(
        (child, i, all) => child !== '' && (typeof child !== 'string' || typeof all[i - 1] !== 'string'),
      ),
    })),
}));

/** Arbitrary elements without namespaces, with all the characters XML can hold. */
export const xmlTree: fc.Arbitrary<XmlElement> = tree;
