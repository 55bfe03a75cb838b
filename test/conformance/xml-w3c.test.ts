import { expect } from 'chai';

import { loadW3cSuite, type W3cDocument } from '../support/w3c-suite.js';
import { readXml } from '../support/xml-events.js';

/** Well-formed documents that are refused all the same, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  'o-p04pass1': 'names with more than one colon are well-formed, but not namespace-well-formed',
  'o-p05pass1': 'names with more than one colon are well-formed, but not namespace-well-formed',
  'valid-sa-049': 'UTF-16',
  'valid-sa-050': 'UTF-16',
  'valid-sa-051': 'UTF-16',
  'pr-xml-little': 'UTF-16',
  'pr-xml-utf-16': 'UTF-16',
  'weekly-little': 'UTF-16',
  'weekly-utf-16': 'UTF-16',
  utf16b: 'UTF-16',
  utf16l: 'UTF-16',
  'rmt-e2e-50': 'ISO-8859-1',
};

describe('W3C XML conformance suite', () => {
  const documents = loadW3cSuite();
  const verdict = ({ bytes }: W3cDocument) => readXml(bytes).error?.code ?? 'read';

  it('holds documents of every kind', () => {
    const kinds = new Map<string, number>();
    for (const { type, bytes } of documents) {
      const kind = `${type}${bytes.includes('<!DOCTYPE') ? ' with DOCTYPE' : ''}`;
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    expect(kinds.get('not-wf')).to.be.above(200);
    expect(kinds.get('invalid')).to.be.above(60);
    expect(kinds.get('valid with DOCTYPE')).to.be.above(700);
  });

  it('every document that is not well-formed is refused', () => {
    const read = documents.filter((document) => document.type === 'not-wf' && verdict(document) === 'read');
    expect(read.map(({ id }) => id)).to.deep.equal([]);
  });

  it('every well-formed document is read, or refused for its DOCTYPE, the listed exceptions apart', () => {
    const wellFormed = documents.filter(({ type }) => type === 'valid' || type === 'invalid');
    const refused = wellFormed.filter((document) => !['read', 'XML_DOCTYPE'].includes(verdict(document)));
    expect(refused.map(({ id }) => id)).to.have.members(Object.keys(REFUSED));
    for (const document of refused) {
      const colons = REFUSED[document.id]?.includes('colon') === true;
      expect(verdict(document), document.id).to.equal(colons ? 'XML_NOT_WELL_FORMED' : 'XML_ENCODING');
    }
  });

  it('a document is refused for its DOCTYPE only where it has one, and always where it is sound', () => {
    for (const document of documents) {
      const { type, bytes, id } = document;
      const has = /^(?:ï»¿)?(?:<\?.*?\?>|<!--.*?-->|\s)*<!DOCTYPE/s.test(bytes.toString('latin1'));
      if (!has) expect(verdict(document), id).to.not.equal('XML_DOCTYPE');
      else if (type !== 'not-wf') expect(verdict(document), id).to.be.oneOf(['XML_DOCTYPE', 'XML_ENCODING']);
    }
  });

  it('the events, positions and errors are the same however a document is cut', () => {
    let state = 1;
    const random = (): number => (state = (state * 48271) % 2147483647);
    for (const { bytes, id } of documents) {
      const whole = readXml(bytes);
      expect(
        readXml(bytes, () => 1),
        id,
      ).to.deep.equal(whole);
      expect(
        readXml(bytes, () => 1 + (random() % 40)),
        id,
      ).to.deep.equal(whole);
    }
  });
});
