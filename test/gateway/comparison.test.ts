import { expect } from 'chai';
import { compare, declared, unseen, type Found } from './comparison.js';
import { DECLARED_LOSSES } from './declared-losses.js';
import { differences, observe } from './observe.js';
import { scenarios } from './scenarios.js';
import { emulatedWs } from './sides.js';

describe('the gateway before v2, beside the service of the time', function () {
  this.timeout(60_000);

  const found: Found[] = [];
  const all = scenarios();
  for (const scenario of all) {
    it(`${scenario.name}: differs in what is declared, and in nothing else`, async () => {
      const differ = await compare(scenario);
      found.push(...differ);
      const undeclared = differ.filter(({ reason }) => reason === undefined);
      expect(undeclared).to.deep.equal([]);
    });
  }

  it('every declared loss showed', () => {
    expect(unseen(found)).to.deep.equal([]);
  });

  it('every declared loss has a reason, names scenarios there are, and stands once', () => {
    const names = all.map(({ name }) => name);
    for (const { reason, shows } of DECLARED_LOSSES) {
      expect(reason).to.have.length.greaterThan(20);
      expect(names).to.include.members(Object.keys(shows));
    }
    expect(declared()).to.deep.equal([...new Set(declared())]);
  });

  describe('the comparison', () => {
    const named = (name: string) => all.find((scenario) => scenario.name === name)!;
    const seen = async (name: string) => {
      const side = await emulatedWs();
      const sights = await observe(side, named(name));
      await side.close();
      return sights;
    };

    it('finds nothing between two of the same', async () => {
      const name = 'export: everything there is';
      expect(differences(await seen(name), await seen(name))).to.deep.equal([]);
    });

    it('finds what differs, in its place', async () => {
      const one = await seen('add: details, quoted');
      const other = one.map((sight) =>
        sight.place === 'entry: transactionCount' || sight.place === 'file: heading'
          ? { ...sight, value: 'another' }
          : sight,
      );
      expect(differences(one, other).map(({ place }) => place)).to.deep.equal([
        'entry: transactionCount',
        'file: heading',
      ]);
      expect(differences(one, one.slice(1)).map(({ place }) => place)).to.deep.equal(['answer: HTTP status']);
    });

    it('sees contacts, records, files and refusals', async () => {
      const places = new Set((await seen('add: details, quoted')).map(({ place }) => place));
      expect([...places]).to.include.members(
        ['answer: HTTP status', 'answer: location', 'entry: errors', 'feed: status', 'file: rows'].concat([
          'contacts: lists',
          'contacts: FIRST NAME',
          'contacts: CUSTOM FIELD 1',
        ]),
      );
      const refused = await seen('add: a list that does not exist');
      expect(refused).to.deep.include({ place: 'answer: HTTP status', value: '400' });
    });
  });
});
