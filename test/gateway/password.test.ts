import { expect } from 'chai';
import fc from 'fast-check';
import { scryptSync } from 'node:crypto';
import { hashPassword, isPasswordHash, isRight, isUsableHash } from '../../src/gateway/password.js';

/** A hash that takes no time, made by the library itself. */
function cheapHash(password: string, salt = 'salt-salt-salt-x', cost = 16): string {
  const key = scryptSync(password.normalize('NFC'), salt, 32, { N: cost, r: 8, p: 1 });
  return `scrypt$${cost}$8$1$${Buffer.from(salt).toString('base64url')}$${key.toString('base64url')}`;
}

describe('passwords of old clients', () => {
  it('are right when they are the ones expected, themselves or by their hash, and no others are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary' }),
        async (password, other) => {
          fc.pre(!isPasswordHash(password));
          const same = password.normalize('NFC') === other.normalize('NFC');
          expect(await isRight(password, password)).to.equal(true);
          expect(await isRight(other, password)).to.equal(same);
          const hash = cheapHash(password);
          expect(await isRight(password, hash)).to.equal(true);
          expect(await isRight(other, hash)).to.equal(same);
          // The second time it is known.
          expect(await isRight(other, hash)).to.equal(same);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('are hashed with a salt of their own each time', async () => {
    const [first, second] = [await hashPassword('café'), await hashPassword('café')];
    expect(first).to.match(/^scrypt\$32768\$8\$1\$[\w-]{22}\$[\w-]{43}$/);
    expect(first).not.to.equal(second);
    expect(isUsableHash(first)).to.equal(true);
    for (const hash of [first, second]) {
      expect(await isRight('café', hash)).to.equal(true);
      expect(await isRight('cafe\u0301', hash)).to.equal(true);
      expect(await isRight('cafe', hash)).to.equal(false);
    }
  });

  it('are never right by a hash that cannot be used', async () => {
    const good = cheapHash('secret');
    const wrong = [
      'scrypt$',
      'scrypt$secret',
      good.replace('scrypt$16$', 'scrypt$15$'),
      good.replace('scrypt$16$', 'scrypt$1$'),
      good.replace('$8$1$', '$0$1$'),
      good.replace('$8$1$', '$8$17$'),
      // As much memory as nobody has.
      good.replace('scrypt$16$', 'scrypt$4194304$'),
      good.slice(0, -30),
    ];
    for (const hash of wrong) {
      expect(isPasswordHash(hash), hash).to.equal(true);
      expect(isUsableHash(hash), hash).to.equal(false);
      expect(await isRight('secret', hash), hash).to.equal(false);
    }
  });

  it('that many guess at once are not all looked at; the right one is let in, once it is known', async () => {
    const hash = cheapHash('secret', 'another-salt-now', 4096);
    expect(await isRight('secret', hash)).to.equal(true);
    const guesses = Array.from({ length: 60 }, (_, index) => isRight(`guess ${index}`, hash));
    expect(await isRight('secret', hash)).to.equal(true);
    const ends = await Promise.allSettled(guesses);
    const refused = ends.filter((end) => end.status === 'rejected');
    expect(refused).to.have.length(10);
    expect(ends.filter((end) => end.status === 'fulfilled' && end.value)).to.deep.equal([]);
    expect(refused[0]?.reason).to.include({ status: 503, retryAfter: 5 });
    // And then there is room again.
    expect(await isRight('guess 60', hash)).to.equal(false);
  });
});
