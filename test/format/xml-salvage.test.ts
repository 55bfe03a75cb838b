import { expect } from 'chai';
import fc from 'fast-check';

import { salvageXml, type SalvagedElement } from '../../src/format/xml-salvage.js';
import { writeXml, type XmlElement } from '../../src/format/xml-writer.js';
import { xmlTree } from '../support/xml-trees.js';

/** The first element of this name, at any depth. */
function find(elements: readonly SalvagedElement[], name: string): SalvagedElement | undefined {
  for (const element of elements) {
    const found = element.name === name ? element : find(element.children, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

// The shape of the documented export entry: its title is cut, and never closed.
const EXPORT = `<entry xmlns="http://www.w3.org/2005/Atom"> <link href="/ws/customers/u/activities/a1" rel="edit" />
 <id>http://api.example.com/ws/customers/u/activities/a1</id>
 <title type="text">EXPORT_CONTACTS: http://api.example.com/ws/customers/u/activities/a...
 <updated>2008-06-27T13:10:59.944Z</updated> <content type="application/vnd.ctct+xml">
 <Activity xmlns="http://ws.constantcontact.com/ns/1.0/" id="http://api.example.com/ws/customers/u/activities/a1">
 <Type>EXPORT_CONTACTS</Type> <Status>COMPLETE</Status>
 <FileName>http://api.example.com/ws/customers/u/activities/a1.csv</FileName>
 <TransactionCount>007</TransactionCount> <Errors></Errors>
 <RunStartTime>2008-06-27T13:10:59.321Z</RunStartTime> </Activity> </content>
 <link href="http://api.example.com/ws/customers/u/activities/a1.csv" rel="edit-media" /> </entry>`;

describe('salvageXml', () => {
  it('gets everything out of an entry whose title is never closed', () => {
    const tree = salvageXml(EXPORT);
    const text = (name: string): string | undefined => find(tree, name)?.text;
    expect(text('Type')).to.equal('EXPORT_CONTACTS');
    expect(text('Status')).to.equal('COMPLETE');
    expect(text('FileName')).to.equal('http://api.example.com/ws/customers/u/activities/a1.csv');
    expect(text('TransactionCount')).to.equal('007');
    expect(text('Errors')).to.equal('');
    expect(text('RunStartTime')).to.equal('2008-06-27T13:10:59.321Z');
    expect(text('updated')).to.equal('2008-06-27T13:10:59.944Z');
    expect(find(tree, 'Activity')?.attributes.id).to.equal(
      'http://api.example.com/ws/customers/u/activities/a1',
    );
    const title = find(tree, 'title');
    expect(title?.attributes).to.deep.equal({ type: 'text' });
    expect(title?.text).to.match(/^EXPORT_CONTACTS: .*\.\.\.\s*$/);
    expect(title?.children.map(({ name }) => name)).to.deep.equal(['updated', 'content', 'link']);
    expect(title?.children.at(-1)?.attributes.rel).to.equal('edit-media');
  });

  it('gets out of a truncated entry each field that is whole, wherever it ends', () => {
    for (let length = 0; length <= EXPORT.length; length++) {
      const tree = salvageXml(EXPORT.slice(0, length));
      for (const name of [
        'id',
        'updated',
        'Type',
        'Status',
        'FileName',
        'TransactionCount',
        'RunStartTime',
      ]) {
        const end = EXPORT.indexOf(`</${name}>`);
        if (end + name.length + 3 > length) continue;
        const start = EXPORT.indexOf('>', EXPORT.indexOf(`<${name}`)) + 1;
        expect(find(tree, name)?.text, `${name} in ${length}`).to.equal(EXPORT.slice(start, end));
      }
    }
  });

  it('reads what a sound document holds', () => {
    const salvaged = ({ name, attributes = {}, children = [] }: XmlElement): SalvagedElement => ({
      name: name.slice(name.indexOf(':') + 1),
      attributes: Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, value ?? ''])),
      children: children.filter((child) => typeof child !== 'string').map(salvaged),
      text: children.filter((child) => typeof child === 'string').join(''),
    });
    fc.assert(
      fc.property(xmlTree, (tree) => {
        expect(salvageXml(writeXml(tree))).to.deep.equal([salvaged(tree)]);
      }),
      { numRuns: 200 },
    );
  });

  const cases: readonly (readonly [what: string, source: string, tree: unknown])[] = [
    ['nothing', '', []],
    ['no markup', 'plain text', []],
    ['two roots', '<a/><b/>', [element('a'), element('b')]],
    ['end tags too many', '<a></b></c></a><d/>', [element('a'), element('d')]],
    ['an end tag that is missing', '<a><b>x</a>', [element('a', '', [element('b', 'x')])]],
    [
      'the end of the document inside a text',
      '<a><b>x</b><c>cut',
      [element('a', '', [element('b', 'x'), element('c')])],
    ],
    ['the end of the document inside a tag', '<a><b>x</b><c d="', [element('a', '', [element('b', 'x')])]],
    [
      'the end of the document inside CDATA',
      '<a><b>x</b><![CDATA[ <c>',
      [element('a', '', [element('b', 'x')])],
    ],
    [
      'references',
      '<a>&lt;&#65;&#x42;&amp;lt; &nbsp; &#0; & &b</a>',
      [element('a', '<AB&lt; &nbsp; &#0; & &b')],
    ],
    ['CDATA', '<a>x<![CDATA[&amp;<b>]]>y</a>', [element('a', 'x&amp;<b>y')]],
    ['entities of a DOCTYPE', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', [element('a', '&b;')]],
    ['prefixes', '<p:a q:b="&lt;\t1"/>', [{ ...element('a'), attributes: { 'q:b': '< 1' } }]],
    ['an attribute without value', '<a b>x</a>', [{ ...element('a', 'x'), attributes: { b: '' } }]],
    ['markup of the parser', '<#text>x</#text>', [element('#text', 'x')]],
    ['a declaration and an instruction', '<?xml version="1.0"?><?pi x?><a/>', [element('a')]],
    ['control characters', '<a>\u0000\u0001</a>', [element('a', '\u0000\u0001')]],
    ['a DOCTYPE that never ends', '<!DOCTYPE a [<!ENTITY b "c', []],
  ];
  for (const [what, source, tree] of cases) {
    it(`reads: ${what}`, () => {
      expect(salvageXml(source)).to.deep.equal(tree);
    });
  }

  it('keeps names that objects have a meaning for', () => {
    for (const name of ['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'toString']) {
      const [root] = salvageXml(`<a><${name} ${name}="x">y</${name}></a>`);
      const [child] = root?.children ?? [];
      expect(child?.name).to.equal(name);
      expect(child?.text).to.equal('y');
      expect(Object.entries(child?.attributes ?? {})).to.deep.equal([[name, 'x']]);
    }
    expect(Object.keys(Object.prototype)).to.deep.equal([]);
  });

  it('gives up on nesting beyond measure', () => {
    expect(salvageXml('<a>'.repeat(100_000))).to.deep.equal([]);
    expect(salvageXml(`${'<a>'.repeat(500)}x`)).to.have.length(1);
  });

  it('reads what comes before a section that the document ends inside of', () => {
    for (const section of ['<!-- cut <c/>', '<![CDATA[ cut <c/>', '<?cut <c/>']) {
      const whole = '<!-- <x/> --><b><![CDATA[<y/>]]></b><?z <z/>?>';
      const [root] = salvageXml(`<a>${whole}<b>2</b>${section}<c/><c/><c/><c/><c/>`);
      expect(root?.children.map(({ name, text }) => name + text)).to.deep.equal(['b<y/>', 'b2']);
    }
  });
});

function element(name: string, text = '', children: readonly SalvagedElement[] = []): SalvagedElement {
  return { name, attributes: {}, children, text };
}
