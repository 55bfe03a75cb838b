import { expect } from 'chai';
import fc from 'fast-check';

import { UsageError } from '../../src/activity/errors.js';
import { writeXml, type XmlElement } from '../../src/format/xml-writer.js';
import { endEvent, readText, startEvent, textEvent } from '../support/xml-events.js';
import { libxml2, saxes } from '../support/xml-oracles.js';
import { xmlTree } from '../support/xml-trees.js';

/** What a reader must find of an element without namespaces. */
function eventsOf({ name, attributes = {}, children = [] }: XmlElement): string[] {
  const plain = { namespace: '', local: name };
  const given = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [[`{}${key}`, value] as const],
  );
  return [
    startEvent(plain, given),
    ...children.flatMap((child) => (typeof child === 'string' ? [textEvent(child)] : eventsOf(child))),
    endEvent(plain),
  ];
}

describe('writeXml', () => {
  it('writes what the reader, saxes and libxml2 read back to the character', () => {
    fc.assert(
      fc.property(xmlTree, (tree) => {
        const source = writeXml(tree);
        const expected = eventsOf(tree);
        expect(readText(source)).to.have.property('error', undefined);
        expect(readText(source).events).to.deep.equal(expected);
        expect(saxes(Buffer.from(source))).to.deep.equal(expected);
        expect(libxml2(Buffer.from(source))).to.deep.equal(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('writes one line with the declaration of the service in front', () => {
    const document = writeXml({
      name: 'feed',
      attributes: { xmlns: 'http://www.w3.org/2005/Atom', 'xmlns:p': 'urn:p' },
      children: [
        { name: 'link', attributes: { href: '', rel: undefined } },
        {
          name: 'content',
          attributes: { type: 'application/vnd.ctct+xml' },
          children: [
            {
              name: 'Activity',
              attributes: { xmlns: 'http://ws.constantcontact.com/ns/1.0/' },
              children: ['\r\n'],
            },
            { name: 'p:x', attributes: { 'p:y': 'a\tb\n"' }, children: ['', '&lt; & <'] },
          ],
        },
      ],
    });
    expect(document).to.equal(
      `<?xml version='1.0' encoding='UTF-8'?><feed xmlns="http://www.w3.org/2005/Atom" xmlns:p="urn:p"><link href=""/>` +
        `<content type="application/vnd.ctct+xml"><Activity xmlns="http://ws.constantcontact.com/ns/1.0/">&#13;\n</Activity>` +
        `<p:x p:y="a&#9;b&#10;&quot;">&amp;lt; &amp; &lt;</p:x></content></feed>`,
    );
    expect(readText(document).events).to.include('start {urn:p}x [["{urn:p}y","a\\tb\\n\\""]]');
  });

  it('keeps namespaces as they are declared', () => {
    const atom = { xmlns: 'http://www.w3.org/2005/Atom' };
    const source = writeXml({
      name: 'entry',
      attributes: atom,
      children: [
        {
          name: 'Activity',
          attributes: { xmlns: 'urn:w' },
          children: [{ name: 'entry', attributes: atom }, { name: 'id' }],
        },
        { name: 'x', attributes: { xmlns: '' } },
      ],
    });
    expect(readText(source).events.filter((event) => event.startsWith('start'))).to.deep.equal([
      'start {http://www.w3.org/2005/Atom}entry []',
      'start {urn:w}Activity []',
      'start {http://www.w3.org/2005/Atom}entry []',
      'start {urn:w}id []',
      'start {}x []',
    ]);
  });

  it('writes U+FFFD for what XML cannot hold', () => {
    const bad = '\u0000\u0008\u000b\u001f\ud800x\udc00\ufffe\uffff';
    const source = writeXml({ name: 'a', attributes: { b: bad }, children: [bad] });
    const good = '\ufffd\ufffd\ufffd\ufffd\ufffdx\ufffd\ufffd\ufffd';
    const name = { namespace: '', local: 'a' };
    expect(readText(source).events).to.deep.equal([
      startEvent(name, [['{}b', good]]),
      textEvent(good),
      endEvent(name),
    ]);
  });

  it('refuses names that are none, and never takes them for markup', () => {
    for (const name of ['', '<a/>', '{"a":1}', '#text', 'a b', '1', 'a:b:c', '@x', 'a@urn:x']) {
      expect(() => writeXml({ name }), name).to.throw(UsageError, 'is no XML name');
      expect(() => writeXml({ name: 'a', attributes: { [name]: '' } }), name).to.throw(
        UsageError,
        'is no XML name',
      );
    }
  });
});
