import { expect } from 'chai';
import fc from 'fast-check';
import { COLUMNS } from '../../src/activity/columns.js';
import { checkRequest, type ActivityRequest } from '../../src/activity/request.js';
import { translateRequest } from '../../src/translate/request.js';
import { runs } from '../support/runs.js';

const lists = fc.uniqueArray(fc.constantFrom('1', '2', '12', 'active', 'removed'), { minLength: 1 });
const columns = fc.subarray(COLUMNS.map(({ ws }) => ws));

const request: fc.Arbitrary<ActivityRequest> = fc.oneof(
  fc.record({
    activityType: fc.constantFrom(
      'SV_ADD',
      'ADD_CONTACTS',
      'ADD_CONTACT_DETAIL',
      'REMOVE_CONTACTS_FROM_LISTS',
    ),
    contacts: columns.map((names) => ({
      rows: [
        {
          'EMAIL ADDRESS': 'ann@example.com',
          ...Object.fromEntries(names.map((name) => [name, `<${name}>`])),
        },
      ],
    })),
    lists,
  }),
  fc.record({
    activityType: fc.constant('CLEAR_CONTACTS_FROM_LISTS' as const),
    lists: fc.constant(['1', '2']),
  }),
  fc.record({
    activityType: fc.constant('EXPORT_CONTACTS' as const),
    listId: fc.constantFrom('7', 'active', 'do-not-mail', 'removed', 'awaiting-confirmation', 'all'),
    fileType: fc.constantFrom('CSV' as const, 'TXT' as const),
    exportOptDate: fc.boolean(),
    exportOptSource: fc.boolean(),
    exportListName: fc.boolean(),
    sortBy: fc.constantFrom('EMAIL_ADDRESS' as const, 'DATE_DESC' as const),
    columns,
  }),
);

describe('a translated request', () => {
  it('has each part of the request in it, or names it in a difference', async () => {
    const property = fc.asyncProperty(request, async (given) => {
      const { counterpart, losses } = await translateRequest(given, { to: 'v2' });
      const made = JSON.stringify(counterpart);
      const named = losses.map(({ place }) => place);
      const checked = checkRequest(given);
      if ('lists' in checked) {
        for (const list of checked.lists) {
          const there = counterpart.some((one) => 'lists' in one && one.lists.includes(list));
          const all = checked.lists.every((id) => !/^\d/.test(id));
          expect(there || all || named.includes(`lists: ${list}`), `list ${list}`).to.equal(true);
          if (!/^\d/.test(list)) expect(named).to.include(`lists: ${list}`);
        }
      }
      if ('contacts' in given && 'rows' in given.contacts && counterpart.length > 0) {
        const [row] = given.contacts.rows as Iterable<Record<string, string>>;
        for (const [name, value] of Object.entries(row ?? {})) {
          const place = `heading: ${name}`.toLowerCase();
          const told = named.some((one) => one.toLowerCase() === place);
          expect(made.includes(JSON.stringify(value)) || told || value.startsWith('<STATE'), name).to.equal(
            true,
          );
        }
      }
      if (checked.activityType !== 'EXPORT_CONTACTS') return;
      const [one] = counterpart;
      if (one?.operation !== 'exportcontacts') {
        expect(named).to.include('listId');
        return;
      }
      expect(one.sortBy).to.equal(checked.sortBy);
      expect([one.exportDateAdded, one.exportAddedBy]).to.deep.equal([
        checked.exportOptDate,
        checked.exportOptSource,
      ]);
      expect(one.list === checked.listId || named.includes('listId')).to.equal(true);
      expect(checked.fileType === 'TXT').to.equal(named.includes('fileType'));
      expect(checked.exportListName).to.equal(named.includes('exportListName'));
      for (const name of checked.columns) {
        const there = one.columns.some(({ ws }) => ws === name);
        expect(there || named.includes(`columns: ${name}`), name).to.equal(true);
      }
    });
    await fc.assert(property, { numRuns: runs(150) });
  });

  it('comes back from v2 as it was, where nothing was lost or changed', async () => {
    const property = fc.asyncProperty(request, async (given) => {
      const { counterpart, losses } = await translateRequest(given, { to: 'v2' });
      const [one] = counterpart;
      const renamed = ['COLUMN_RENAMED', 'COLUMN_ADDED', 'LIST_RENAMED', 'FEW_CONTACTS'];
      if (one === undefined || losses.some(({ code }) => !renamed.includes(code))) return;
      const back = await translateRequest(one, { from: 'v2' });
      const [before, after] = [checkRequest(given), checkRequest(back.counterpart)];
      const plain = (value: typeof before) => {
        const { activityType, ...rest } = value;
        const type = activityType.startsWith('ADD') || activityType === 'SV_ADD' ? 'add' : activityType;
        if ('columns' in rest) {
          return { type, ...rest, columns: rest.columns.filter((name) => name !== 'EMAIL ADDRESS') };
        }
        return { type, lists: 'lists' in rest ? rest.lists : [] };
      };
      expect(plain(after)).to.deep.equal(plain(before));
    });
    await fc.assert(property, { numRuns: runs(150) });
  });

  it('is none where all of its lists are system lists, which v2 knows in exports only', async () => {
    const contacts = { text: 'EMAIL\nann@example.com\n' };
    const { counterpart, losses } = await translateRequest(
      { activityType: 'SV_ADD', contacts, lists: ['active'] },
      { to: 'v2' },
    );
    expect(counterpart).to.deep.equal([]);
    expect(losses.map(({ code }) => code)).to.deep.equal(['LIST_UNSUPPORTED', 'FEW_CONTACTS']);
  });

  it('is refused for one contact that is over the limit by itself', async () => {
    const city = 'x'.repeat(1_000_000);
    const row = {
      emailAddress: 'a@example.com',
      city,
      country: city,
      state: city,
      jobTitle: city,
      homePhone: city,
    };
    const text = `${Object.keys(row).join(',')}\n${Object.values(row).join(',')}\n`;
    let error: unknown;
    await translateRequest({ activityType: 'SV_ADD', contacts: { text }, lists: ['2'] }, { to: 'v2' }).catch(
      (reason: unknown) => (error = reason),
    );
    expect(error).to.have.property('code', 'UPLOAD_TOO_LARGE');
  });
});
