import { expect } from 'chai';
import fc from 'fast-check';

import { damagedDocument, writtenDocument } from '../support/xml-documents.js';
import { runs } from '../support/runs.js';
import { readXml, type Reading } from '../support/xml-events.js';
import { libxml2, saxes, type Oracle } from '../support/xml-oracles.js';

interface Case {
  readonly reading: Reading;
  readonly source: string;
  readonly refusal: string | undefined;
}

/** Where another parser is known to decide otherwise, and why we do not follow it. */
const DIFFERENCES: readonly { oracle: Oracle; reason: string; applies(found: Case): boolean }[] = [
  {
    oracle: saxes,
    reason: 'gets characters, so that it cannot look at encodings',
    applies: ({ reading }) => reading.error?.code === 'XML_ENCODING',
  },
  {
    oracle: saxes,
    reason: 'lets the local part of a name begin with a digit, a dot, a dash or a combining mark',
    applies: ({ reading }) => /"[^":]+:[^":]+" is no name/.test(reading.error?.message ?? ''),
  },
  {
    oracle: saxes,
    reason: 'takes "<?pi?x?>" for a processing instruction',
    applies: ({ reading }) =>
      (reading.error?.message ?? '').includes('"?>" in a processing instruction, got "?"'),
  },
  {
    oracle: saxes,
    reason: 'trims namespace names',
    applies: ({ source }) =>
      /xmlns(?::[^=]+)?\s*=\s*(?:"(?:\s[^"]*|[^"]*\s)"|'(?:\s[^']*|[^']*\s)')/.test(source),
  },
  {
    oracle: libxml2,
    reason: 'wants namespace names to be URIs; Namespaces in XML only deprecates others',
    applies: ({ refusal }) => (refusal ?? '').includes('is not a valid URI'),
  },
  {
    oracle: libxml2,
    reason: 'reads encodings it does not know as UTF-8',
    applies: ({ reading }) => reading.error?.code === 'XML_ENCODING',
  },
];

const ORACLES = { saxes, libxml2 } as const;

describe('XML reader beside saxes and libxml2', () => {
  for (const [name, oracle] of Object.entries(ORACLES)) {
    it(`reads from well-formed documents what ${name} reads, and what was written`, () => {
      fc.assert(
        fc.property(writtenDocument, ({ source, events }) => {
          const bytes = Buffer.from(source);
          expect(readXml(bytes).events).to.deep.equal(events);
          expect(oracle(bytes)).to.deep.equal(events);
        }),
        { numRuns: runs(300) },
      );
    });

    it(`decides on damaged documents as ${name} does`, () => {
      fc.assert(
        fc.property(damagedDocument, (bytes) => {
          const reading = readXml(bytes);
          fc.pre(reading.error?.code !== 'XML_DOCTYPE');
          const read = oracle(bytes);
          const refusal = 'refusal' in read ? read.refusal : undefined;
          if (refusal !== undefined && reading.error !== undefined) return;
          const found = { reading, refusal, source: Buffer.from(bytes).toString() };
          if (DIFFERENCES.some((difference) => difference.oracle === oracle && difference.applies(found)))
            return;
          expect(refusal ?? read, found.source).to.deep.equal(reading.error ?? reading.events);
        }),
        { numRuns: runs(1000) },
      );
    });
  }

  it('each known difference is still one', () => {
    const samples: readonly (readonly [Oracle, string])[] = [
      [saxes, '<?xml version="1.0" encoding="koi8-r"?><a/>'],
      [saxes, '<a xmlns:p="u"><p:1/></a>'],
      [saxes, '<?p?x?><a/>'],
      [saxes, '<a xmlns=" u "/>'],
      [libxml2, '<a xmlns="&lt;"/>'],
      [libxml2, '<?xml version="1.0" encoding="x-none"?><a/>'],
    ];
    expect(samples.length).to.equal(DIFFERENCES.length);
    samples.forEach(([oracle, source], i) => {
      const bytes = Buffer.from(source);
      const reading = readXml(bytes);
      const read = oracle(bytes);
      const refusal = 'refusal' in read ? read.refusal : undefined;
      expect(refusal ?? read, source).to.not.deep.equal(reading.error ?? reading.events);
      expect(DIFFERENCES[i]?.oracle).to.equal(oracle);
      expect(DIFFERENCES[i]?.applies({ reading, refusal, source }), source).to.equal(true);
    });
  });
});
