import { expect } from 'chai';
import fc from 'fast-check';
import {
  cutTo,
  displayWidth,
  isInteractive,
  padTo,
  painter,
  plainText,
  widthOf,
} from '../../src/cli/terminal.js';
import { Sink } from './harness.js';

const ESCAPE = '\u001b';
const anyText = fc.string({ unit: 'grapheme' });

describe('terminal', () => {
  it('plain text has nothing a terminal acts on, and stays as it is without', () => {
    const control = fc.constantFrom(ESCAPE, '\r', '\n', '\t', '\u0007', '\u009b', '\u202e', '\u2066');
    fc.assert(
      fc.property(fc.array(fc.oneof(anyText, control)), (parts) => {
        const text = plainText(parts.join(''));
        for (const character of text) {
          const code = character.codePointAt(0)!;
          expect(code < 32 || (code >= 127 && code < 160) || (code >= 0x202a && code <= 0x202e)).to.equal(
            false,
          );
        }
        expect(plainText(text)).to.equal(text);
      }),
    );
    expect(plainText('one\r\ntwo\u001b[2J')).to.equal('one⏎two·[2J');
  });

  it('padding makes at least the width, cutting at most', () => {
    fc.assert(
      fc.property(anyText, fc.nat(30), (raw, width) => {
        const text = plainText(raw);
        expect(displayWidth(padTo(text, width))).to.equal(Math.max(displayWidth(text), width));
        expect(padTo(text, width, 'right').endsWith(text)).to.equal(true);
        expect(displayWidth(cutTo(text, width + 1))).to.be.at.most(width + 1);
      }),
    );
  });

  it('has a width, also where it tells none', () => {
    expect(widthOf(new Sink())).to.equal(undefined);
    expect([120, 80, 0].map((columns) => widthOf(new Sink({ columns })))).to.deep.equal([120, 80, 80]);
    expect(widthOf({ isTTY: true, write: () => true })).to.equal(80);
  });

  it('counts cells, not characters', () => {
    expect(displayWidth('abc')).to.equal(3);
    expect(displayWidth('田中花店')).to.equal(8);
    expect(displayWidth('박씨네')).to.equal(6);
    expect(displayWidth('e\u0301\u200b')).to.equal(1);
    expect(displayWidth('💐')).to.equal(2);
    expect(displayWidth(`${ESCAPE}[31mred${ESCAPE}[39m`)).to.equal(3);
    expect(cutTo('田中花店', 5)).to.equal('田中…');
  });

  it('paints on a terminal that shows colours, and nowhere else', () => {
    const terminal = new Sink({ columns: 80 });
    expect(painter(terminal, {})('red', 'x')).to.equal(`${ESCAPE}[31mx${ESCAPE}[39m`);
    expect(painter(terminal, { NO_COLOR: '' })('red', 'x')).to.not.equal('x');
    expect(painter(terminal, { NO_COLOR: '1' })('red', 'x')).to.equal('x');
    expect(painter(terminal, { TERM: 'dumb' })('red', 'x')).to.equal('x');
    expect(painter(new Sink(), {})('red', 'x')).to.equal('x');
  });

  it('is interactive unless it is a pipe, dumb, or a CI', () => {
    const terminal = new Sink({ columns: 80 });
    expect(isInteractive(terminal, { TERM: 'xterm', CI: '' })).to.equal(true);
    expect(isInteractive(terminal, { TERM: 'dumb' })).to.equal(false);
    expect(isInteractive(terminal, { CI: 'true' })).to.equal(false);
    expect(isInteractive(new Sink(), {})).to.equal(false);
  });
});
