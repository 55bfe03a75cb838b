import { expect } from 'chai';
import type { Activity } from '../../src/activity/activity.js';
import { ServiceError, UsageError } from '../../src/activity/errors.js';
import { isFinished } from '../../src/activity/activity.js';
import type { ActivityRequest, Contacts } from '../../src/activity/request.js';
import type { ActivityService } from '../../src/activity/service.js';
import { rejection } from '../http/loopback.js';

/**
 * An implementation of the port over an empty account with the lists 1 ("General Interest") and 2 ("Roses"), and a way to
 * let its jobs come to their end.
 */
export interface Subject {
  readonly service: ActivityService;
  readonly deviations?: Partial<Deviations>;
  /** Lets time pass until all jobs that were created have ended. */
  settle(): Promise<void>;
  dispose(): Promise<void>;
}

/** What an implementation does otherwise, since its dialect cannot do it: each is asserted to be exactly so. */
export interface Deviations {
  /** Errors name no address. */
  readonly noErrorAddress: true;
  /** All that adds is ADD_CONTACTS. */
  readonly oneAddType: true;
  /** The column STATE/PROVINCE (US/CANADA) is left out. */
  readonly noStateProvince: true;
  /** Any text is taken for a state. */
  readonly anyState: true;
  /** A TXT export is refused as unsupported. */
  readonly noTxt: true;
  /** No more activities than these are listed. */
  readonly mostListed: number;
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const gathered: T[] = [];
  for await (const item of items) gathered.push(item);
  return gathered;
}

const CONTACTS = `Email Address,First Name,State/Province (US/Canada)
ann@example.com,Ann,MA
bob@example.com,Bob,Test2
"carol@example.com","Carol, ""the"" Third",Ontario
not-an-address,Dan,NH
Ärger <eve@example.com>,Eve,NH
`;

/** What every implementation of `ActivityService` keeps to. */
export function describeActivityService(name: string, make: () => Promise<Subject>): void {
  describe(`ActivityService: ${name}`, () => {
    let subject: Subject;
    let service: ActivityService;
    beforeEach(async () => {
      subject = await make();
      service = subject.service;
    });
    afterEach(() => subject.dispose());

    const run = async (request: ActivityRequest): Promise<Activity> => {
      const { id } = await service.create(request);
      await subject.settle();
      return service.get(id);
    };
    const add = (text: string, ...lists: string[]) =>
      run({ activityType: 'SV_ADD', contacts: { text }, lists });
    const exported = async (listId: string, more: object = {}): Promise<string> => {
      const activity = await run({ activityType: 'EXPORT_CONTACTS', listId, ...more });
      const download = await service.download(activity);
      const bytes = Buffer.concat(await all(download.body));
      if (download.length !== undefined) expect(bytes.length).to.equal(download.length);
      return bytes.toString('utf8');
    };
    /** Whether bob is added, who has no state or province that exists. */
    const isBobAdded = () => {
      const { noStateProvince, anyState } = subject.deviations ?? {};
      return noStateProvince === true || anyState === true;
    };
    /** What CONTACTS adds. */
    const added = () =>
      ['ann', ...(isBobAdded() ? ['bob'] : []), 'carol'].map((name) => `${name}@example.com`);
    const addresses = async (listId: string) =>
      (await exported(listId))
        .split(/\r?\n/)
        .slice(1)
        .filter((line) => line !== '');

    it('lists the system lists first, then the account’s own', async () => {
      const lists = await all(service.lists());
      expect(lists.slice(0, 3).map(({ id }) => id)).to.deep.equal(['active', 'do-not-mail', 'removed']);
      expect(lists.slice(0, 3).every(({ system }) => system)).to.equal(true);
      expect(lists.slice(3).map(({ id, name: title }) => [id, title])).to.deep.equal([
        ['1', 'General Interest'],
        ['2', 'Roses'],
      ]);
    });

    it('a creation is told at once, and is not finished', async () => {
      const created = await service.create({
        activityType: 'SV_ADD',
        contacts: { text: CONTACTS },
        lists: ['1'],
      });
      expect(created.id).to.match(/^[a-z0-9-]+$/);
      expect(isFinished(created)).to.equal(false);
      expect((await service.get(created.id)).id).to.equal(created.id);
    });

    it('takes good rows and tells of bad ones by line and address', async () => {
      const activity = await add(CONTACTS, '1', '2');
      expect(activity.status).to.equal('COMPLETE');
      const { oneAddType, noErrorAddress } = subject.deviations ?? {};
      expect(activity.type).to.equal(oneAddType ? 'ADD_CONTACTS' : 'ADD_CONTACT_DETAIL');
      const bad = [
        ...(isBobAdded() ? [] : [[3, 'bob@example.com', 'Unknown US/Canadian state/prov "Test2"']]),
        [5, 'not-an-address', 'Invalid email'],
        [6, 'Ärger <eve@example.com>', 'Invalid email'],
      ].map(([line, address, message]) => [line, noErrorAddress ? undefined : address, message]);
      expect(
        activity.errors.map(({ lineNumber, emailAddress, message }) => [lineNumber, emailAddress, message]),
      ).to.deep.equal(bad);
      expect(activity.errorCount).to.equal(bad.length);
      expect(activity.insertTime).to.be.instanceOf(Date);
      expect(activity.runStartTime).to.be.instanceOf(Date);
      expect(activity.runFinishTime).to.be.instanceOf(Date);
      expect(await addresses('1')).to.deep.equal(added());
      expect(await addresses('2')).to.deep.equal(added());
    });

    it('stores ADD_CONTACTS where the upload holds addresses only', async () => {
      expect((await add('Email Address\nann@example.com\n', '1')).type).to.equal('ADD_CONTACTS');
    });

    it('removes from the lists named and from no other', async () => {
      await add(CONTACTS, '1', '2');
      const activity = await run({
        activityType: 'REMOVE_CONTACTS_FROM_LISTS',
        contacts: { rows: [{ emailAddress: 'ANN@example.com' }] },
        lists: ['1'],
      });
      expect([activity.status, activity.type]).to.deep.equal(['COMPLETE', 'REMOVE_CONTACTS_FROM_LISTS']);
      expect(await addresses('1')).to.deep.equal(added().slice(1));
      expect(await addresses('2')).to.deep.equal(added());
    });

    it('clears the lists named and from no other', async () => {
      await add(CONTACTS, '1', '2');
      expect((await run({ activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: ['2'] })).status).to.equal(
        'COMPLETE',
      );
      expect(await addresses('2')).to.deep.equal([]);
      expect(await addresses('1')).to.deep.equal(added());
    });

    it('exports the columns asked for, quoted as they must be', async () => {
      await add(CONTACTS, '1');
      const csv = await exported('1', { columns: ['FIRST NAME', 'STATE/PROVINCE (US/CANADA)'] });
      expect(csv.replaceAll('\r\n', '\n').trim().split('\n')).to.deep.equal(
        subject.deviations?.noStateProvince
          ? [
              'Email Address,First Name',
              'ann@example.com,Ann',
              'bob@example.com,Bob',
              'carol@example.com,"Carol, ""the"" Third"',
            ]
          : [
              'Email Address,First Name,State/Province (US/Canada)',
              'ann@example.com,Ann,MA',
              ...(isBobAdded() ? ['bob@example.com,Bob,Test2'] : []),
              'carol@example.com,"Carol, ""the"" Third",Ontario',
            ],
      );
    });

    it('names the file of an export by its id', async () => {
      for (const [fileType, extension] of [
        ['CSV', 'csv'],
        ['TXT', 'txt'],
      ] as const) {
        const request = { activityType: 'EXPORT_CONTACTS', listId: 'active', fileType } as const;
        if (fileType === 'TXT' && subject.deviations?.noTxt) {
          const error = await rejection(service.create(request));
          expect([error.name, error.code]).to.deep.equal(['UnsupportedError', 'UNSUPPORTED']);
          continue;
        }
        const activity = await run(request);
        const download = await service.download(activity.id);
        expect(download.fileName).to.equal(`${activity.id}.${extension}`);
        await download.cancel();
      }
    });

    it('gives the rest of a file, or the whole, and says which', async () => {
      await add(CONTACTS, '1');
      const activity = await run({ activityType: 'EXPORT_CONTACTS', listId: '1' });
      const download = await service.download(activity);
      const whole = Buffer.concat(await all(download.body));
      for (const validator of [download.validator ?? '"none"', '"another"']) {
        const rest = await service.download(activity, { resume: { offset: 5, validator } });
        const { offset = 0, length = whole.length } = rest;
        expect(Buffer.concat(await all(rest.body))).to.deep.equal(whole.subarray(offset));
        expect(length).to.equal(whole.length);
        expect([0, validator === download.validator ? 5 : 0]).to.include(offset);
      }
    });

    it('has no file for an activity that made none', async () => {
      const activity = await add('Email Address\nann@example.com\n', '1');
      const error = await rejection(service.download(activity.id));
      expect([error.name, error.code]).to.deep.equal(['ServiceError', 'NOT_FOUND']);
    });

    it('knows no other id', async () => {
      const error = await rejection(service.get('a07e1zzzzzzzzzzzzzz'));
      expect(error).to.be.instanceOf(ServiceError);
      expect([error.code, (error as ServiceError).status]).to.deep.equal(['NOT_FOUND', 404]);
    });

    it('lists activities, the newest first, each once', async () => {
      const ids: string[] = [];
      for (let n = 0; n < 60; n++) {
        ids.unshift((await service.create({ activityType: 'EXPORT_CONTACTS', listId: '1' })).id);
      }
      const { mostListed = Infinity } = subject.deviations ?? {};
      expect((await all(service.list())).map(({ id }) => id)).to.deep.equal(ids.slice(0, mostListed));
    });

    it('takes a field that is undefined for one that is not given', async () => {
      const contacts = { rows: undefined, text: CONTACTS, file: undefined } as unknown as Contacts;
      const activity = await run({ activityType: 'SV_ADD', contacts, lists: ['1'] });
      const errors = isBobAdded() ? 2 : 3;
      expect([activity.status, activity.errorCount]).to.deep.equal(['COMPLETE', errors]);
    });

    it('refuses a list that does not exist', async () => {
      for (const request of [
        { activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: ['99'] },
        { activityType: 'EXPORT_CONTACTS', listId: '99' },
        { activityType: 'SV_ADD', contacts: { text: CONTACTS }, lists: ['1', '99'] },
      ] as const) {
        const error = await rejection(service.create(request));
        expect([error.name, (error as ServiceError).status]).to.deep.equal(['ServiceError', 400]);
        expect((error as ServiceError).detail).to.include('99');
      }
      expect(await all(service.list())).to.deep.equal([]);
    });

    it('refuses what cannot be meant, before it does anything', async () => {
      const bad: readonly [ActivityRequest, string][] = [
        [{ activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: ['do-not-mail'] }, 'LIST_NOT_CLEARABLE'],
        [{ activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: [] }, 'LIST_REQUIRED'],
        [{ activityType: 'EXPORT_CONTACTS', listId: '1', columns: ['SHOE SIZE'] }, 'COLUMN_UNKNOWN'],
        [
          { activityType: 'SV_ADD', contacts: { text: 'First Name\nAnn' }, lists: ['1'] },
          'ADDRESS_COLUMN_REQUIRED',
        ],
        [{ activityType: 'SV_ADD', contacts: { text: '' }, lists: ['1'] }, 'CONTACTS_REQUIRED'],
      ];
      const ofNoType: readonly [unknown, string][] = [
        [undefined, 'OPTION_INVALID'],
        [{ activityType: 'EXPORT_CONTACTS', listId: '1', columns: 'FIRST NAME' }, 'OPTION_INVALID'],
        [{ activityType: 'EXPORT_CONTACTS', listId: '1', columns: [5] }, 'COLUMN_UNKNOWN'],
        [{ activityType: 'EXPORT_CONTACTS', listId: '1', sortby: 'DATE_DESC' }, 'OPTION_INVALID'],
        [{ activityType: 'EXPORT_CONTACTS', listId: {} }, 'LIST_INVALID'],
        [{ activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: '2' }, 'OPTION_INVALID'],
        ...[
          { file: new URL('file:///contacts.csv') },
          { file: 5 },
          { text: 5 },
          { bytes: [1] },
          { rows: 5 },
          { rows: [{ email: 'ann@example.com' }], columns: 'email' },
          { stream: 5 },
          { text: CONTACTS, fileName: 5 },
        ].map((contacts): [unknown, string] => [
          { activityType: 'SV_ADD', contacts, lists: ['1'] },
          'CONTACTS_INVALID',
        ]),
      ];
      for (const [request, code] of [...bad, ...(ofNoType as typeof bad)]) {
        const error = await rejection(service.create(request));
        expect(error).to.be.instanceOf(UsageError);
        expect(error.code).to.equal(code);
      }
      expect(await all(service.list())).to.deep.equal([]);
    });

    it('an aborted signal ends a call with an error of the family', async () => {
      const signal = AbortSignal.abort();
      for (const call of [
        () => service.get('a07e1', { signal }),
        () => all(service.list({ signal })),
        () => service.create({ activityType: 'EXPORT_CONTACTS', listId: '1' }, { signal }),
      ]) {
        expect((await rejection(call())).code).to.equal('ABORTED');
      }
      expect(await all(service.list())).to.deep.equal([]);
    });
  });
}
