import { expect } from 'chai';
import fc from 'fast-check';
import { ElementType, parseDocument } from 'htmlparser2';
import { createHash } from 'node:crypto';
import { foreign, markup, Markup, NOTHING, pageStart } from '../../src/format/markup.js';

/** All the text of a page, as a parser of HTML reads it, and its elements. */
function read(html: string): { text: string; elements: string[] } {
  const elements: string[] = [];
  const walk = (node: ReturnType<typeof parseDocument>['children'][number]): string => {
    if ('data' in node) return node.type === ElementType.Text ? node.data : '';
    if ('name' in node && 'attribs' in node) elements.push(`${node.name} ${JSON.stringify(node.attribs)}`);
    return 'children' in node ? node.children.map(walk).join('') : '';
  };
  return { text: parseDocument(html).children.map(walk).join(''), elements };
}

/** Text that a page shows as it is. */
const printable = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[^\P{Cc}\t\n\r]/gu, ''));
const risky = fc
  .array(fc.oneof(printable, fc.constantFrom('<', '>', '&', '"', "'", '&amp;', '</p>', '<b>', '\t', '\n')))
  .map((pieces) => pieces.join(''));

describe('markup', () => {
  it('holds any value as text, in an element and in an attribute', () => {
    fc.assert(
      fc.property(risky, risky, (text, value) => {
        const { html } = markup`<p title="${value}" id='${value}'>${text}</p>`;
        expect(read(html)).to.deep.equal({
          text,
          elements: [`p ${JSON.stringify({ title: value, id: value })}`],
        });
        expect(html.slice(1, -4)).not.to.match(/<|>[^]*>/);
        expect(read(foreign(text).html)).to.deep.equal({ text, elements: ['bdi {}'] });
      }),
    );
  });

  it('holds numbers, markup and lists of it as they are, and nothing for what is undefined', () => {
    const bold = markup`<b>${1}</b>`;
    expect(bold).to.be.instanceOf(Markup);
    expect(markup`${undefined}a${bold}b${[bold, bold]}c${[]}d${NOTHING}${0}${''}`.html).to.equal(
      'a<b>1</b>b<b>1</b><b>1</b>cd0',
    );
    expect(markup`&"${'&<>"\''}`.html).to.equal('&"&amp;&lt;&gt;&quot;&#39;');
  });

  it('shows a replacement for each character that a page must not hold, and keeps white space', () => {
    for (let code = 0; code < 0x100; code++) {
      const character = String.fromCharCode(code);
      const control = code < 0x20 || (code >= 0x7f && code < 0xa0);
      const kept = !control || '\t\n\r'.includes(character);
      expect(read(markup`${`x${character}y`}`.html).text, String(code)).to.equal(
        `x${kept ? character : '\ufffd'}y`,
      );
    }
    expect(markup`${'\ud800x\udc00\u{1f600}'}`.html).to.equal('\ufffdx\ufffd\u{1f600}');
  });

  it('begins a page that loads nothing, and allows its own style and script only', () => {
    const [style, script] = ['p { color: red }', 'let a = 1 < 2'];
    const hash = (text: string) => `sha256-${createHash('sha256').update(text).digest('base64')}`;
    const frame = (policy: string) => [
      'html {"lang":"en"}',
      'head {}',
      'meta {"charset":"utf-8"}',
      `meta ${JSON.stringify({ 'http-equiv': 'Content-Security-Policy', content: policy })}`,
      'meta {"name":"viewport","content":"width=device-width, initial-scale=1"}',
      'meta {"name":"referrer","content":"no-referrer"}',
      'meta {"name":"robots","content":"noindex"}',
      ...['title {}', 'style {}', 'body {}', 'main {}'],
    ];
    const before = `default-src 'none'; style-src '${hash(style)}'; `;
    const after = "base-uri 'none'; form-action 'none'";
    const plain = pageStart({ title: 'A & <b>', style }).html;
    expect(plain).to.match(/^<!doctype html>\n/);
    expect(read(plain).elements).to.deep.equal(frame(before + after));
    expect(
      read(plain)
        .text.split('\n')
        .filter((line) => line !== ''),
    ).to.deep.equal(['A & <b>', style]);
    const scripted = pageStart({ title: '', style, script }).html;
    expect(read(scripted).elements).to.deep.equal(frame(`${before}script-src '${hash(script)}'; ${after}`));
  });
});
