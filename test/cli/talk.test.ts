import { expect } from 'chai';
import fc from 'fast-check';
import { Talk, type TalkOptions } from '../../src/cli/talk.js';
import { secretsOf } from '../../src/http/credentials.js';
import { Sink } from './harness.js';

const ERASE = '\r\u001b[K';

function talk(sink: Sink, options: Partial<TalkOptions> = {}): Talk {
  return new Talk(sink, { env: {}, quiet: false, progress: true, secrets: () => [], ...options });
}

describe('talk', () => {
  it('says notes, warnings, errors and what to do about them', () => {
    const sink = new Sink();
    const { note, warn, error } = {
      note: (text: string) => talk(sink).note(text),
      warn: (text: string) => talk(sink).warn(text),
      error: (text: string, hints?: string[]) => talk(sink).error(text, hints),
    };
    note('a note');
    warn('a warning');
    error('an error', ['try this']);
    error('another');
    expect(sink.lines).to.deep.equal([
      'a note',
      'ctct: warning: a warning',
      'ctct: an error',
      '  try this',
      'ctct: another',
    ]);
  });

  it('says errors only when it is quiet', () => {
    const sink = new Sink({ columns: 80 });
    const quiet = talk(sink, { quiet: true, env: { NO_COLOR: '1' } });
    quiet.note('a note');
    quiet.warn('a warning');
    quiet.progress('x', () => 'x');
    quiet.error('an error');
    expect(sink.text).to.equal('ctct: an error\n');
  });

  it('prints a line of progress for each thing new where it cannot draw', () => {
    const sink = new Sink();
    const plain = talk(sink);
    plain.progress('PENDING', () => 'PENDING, 0 s');
    plain.progress('PENDING', () => 'PENDING, 1 s');
    plain.progress('RUNNING', () => 'RUNNING, 2 s');
    plain.note('between');
    plain.progressEnds();
    plain.progressEnds();
    expect(sink.lines).to.deep.equal(['PENDING, 0 s', 'RUNNING, 2 s', 'between']);
  });

  it('prints the newest again when nothing new has come for long', async () => {
    const sink = new Sink();
    const plain = talk(sink, { everyMilliseconds: 1 });
    plain.progress('RUNNING', () => 'first', 'later');
    expect(sink.text).to.equal('');
    plain.progress('RUNNING', () => 'second', 'later');
    while (sink.lines.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    plain.progressEnds();
    expect(new Set(sink.lines)).to.deep.equal(new Set(['second']));
  });

  it('prints none where it is to be drawn only, nor with --no-progress', () => {
    const sink = new Sink();
    talk(sink).progress('x', () => 'x', 'drawn');
    talk(sink, { progress: false }).progress('x', () => 'x');
    talk(new Sink({ columns: 80 }), { progress: false }).progress('x', () => 'x');
    expect(sink.text).to.equal('');
  });

  it('draws one line over and over on a terminal, and takes it away', async () => {
    const sink = new Sink({ columns: 20 });
    const drawn = talk(sink, { env: { NO_COLOR: '1' }, everyMilliseconds: 1 });
    drawn.progress('x', () => 'a line that is longer than the terminal');
    const frames = () => sink.text.split(ERASE).length;
    const before = frames();
    while (frames() === before) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(sink.text.split(ERASE)[1]).to.equal('⠋ a line that is l…');
    drawn.note('a note');
    drawn.progressEnds();
    expect(sink.text).to.contain(`${ERASE}a note\n${ERASE}`);
    expect(sink.text.endsWith(ERASE)).to.equal(true);
    expect(sink.lines).to.have.length(1);
  });

  it('never says a secret, as it is or as it is sent', () => {
    const token = fc.stringMatching(/^[!-)+-~]{4,12}$/);
    fc.assert(
      fc.property(fc.string(), token, fc.string(), (before, secret, after) => {
        const secrets = secretsOf({ scheme: 'access_token', token: secret });
        const sink = new Sink();
        talk(sink, { secrets: () => secrets }).error(
          `${before}${secret}|${encodeURIComponent(secret)}${after}`,
        );
        expect(sink.text).not.to.contain(secret);
        expect(sink.text).not.to.contain(encodeURIComponent(secret));
      }),
    );
    const sink = new Sink();
    const short = talk(sink, { secrets: () => ['hunter22', 'ab'] });
    short.error('GET /?access_token=hunter22 failed, so did ?access_token=ab about it');
    expect(sink.text).to.equal('ctct: GET /?access_token=*** failed, so did ?access_token=*** about it\n');
  });

  it('draws no half of a secret, where the line is cut', () => {
    for (let width = 10; width < 30; width++) {
      const sink = new Sink({ columns: width });
      const drawn = talk(sink, { env: { NO_COLOR: '1' }, secrets: () => ['hunter22'] });
      drawn.progress('x', () => 'file hunter22 .....');
      drawn.progressEnds();
      expect(sink.text).not.to.contain('hu');
    }
  });
});
