import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { XmlDocument } from 'libxml2-wasm';
import { CtctError, ServiceError, UsageError } from '../../src/activity/errors.js';
import { checkRequest } from '../../src/activity/request.js';
import { WsClient } from '../../src/ws/client.js';
import { LOSSLESS, parseQuirks, PROFILES, QUIRKS, QUIRK_NAMES, quirksOf } from '../../src/ws/quirks.js';
import { decodeRequest } from '../../src/ws/requests.js';
import { wsServer } from '../../src/ws/server.js';
import { fixtures, splitMessage } from '../support/fixtures.js';
import { answerWith } from '../support/quirk-server.js';
import { anActivity, stubService } from '../support/stub-service.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('QUIRKS', () => {
  describe('each can be switched', () => {
    for (const name of QUIRK_NAMES) {
      it(name, async () => {
        const folder = path.join(ROOT, QUIRKS[name].fixture);
        const read = (file: string) => readFileSync(path.join(folder, file));
        const request = read('request.http');
        const [on, off] = [await answerWith(name, true, request), await answerWith(name, false, request)];
        expect(on).to.equal(read('on.http').toString());
        expect(off).to.equal(read('off.http').toString());
        expect(on).not.to.equal(off);
        for (const answer of [on, off]) {
          const { headers, body } = splitMessage(Buffer.from(answer));
          if (headers['content-type']?.startsWith('application/atom+xml') === true) {
            XmlDocument.fromBuffer(body).dispose();
          }
        }
      });
    }
  });

  it('a request that is refused without a quirk is answered with it, and told why without', () => {
    for (const name of QUIRK_NAMES) {
      const folder = path.join(ROOT, QUIRKS[name].fixture);
      const status = (file: string) =>
        Number(readFileSync(path.join(folder, file), 'latin1').split(' ', 2)[1]);
      if (status('off.http') < 400 || status('on.http') >= 400) continue;
      expect(status('on.http'), name).to.be.within(200, 201);
      const { body } = splitMessage(readFileSync(path.join(folder, 'off.http')));
      expect(body.toString(), name).to.match(/^.{10,}\n$/s);
    }
  });

  it('every folder of fixtures is a row', () => {
    const folders = fixtures('ws/quirks').map(({ name }) => `test/fixtures/ws/quirks/${name}`);
    expect(folders).to.deep.equal(
      Object.values(QUIRKS)
        .map(({ fixture }) => fixture)
        .sort(),
    );
  });

  it('every quirk that a comment of the ws room names is a row', () => {
    const folder = path.join(ROOT, 'src/ws');
    const named = readdirSync(folder).flatMap((file) => {
      const text = readFileSync(path.join(folder, file), 'utf8').replace(/\n\s*(?:\*|\/\/) ?/g, ' ');
      return [...text.matchAll(/Quirk: ((?:`\w+`[, ]*(?:and )?)+)/g)].flatMap(([, names = '']) =>
        Array.from(names.matchAll(/`(\w+)`/g), ([, name = '']) => name),
      );
    });
    expect(named).to.have.length.above(20);
    expect(named.filter((name) => !Object.hasOwn(QUIRKS, name))).to.deep.equal([]);
  });
});

describe('quirksOf', () => {
  it('gives the column of the profile, but for what is switched', () => {
    for (const profile of PROFILES) {
      const set = quirksOf(profile);
      for (const name of QUIRK_NAMES) expect(set[name]).to.equal(QUIRKS[name].profiles[profile]);
      const switched = quirksOf(profile, { digest: !set.digest });
      expect(switched).to.deep.equal({ ...set, digest: !set.digest });
    }
    expect(LOSSLESS.errorCountInFeed || LOSSLESS.errorCountInEntry).to.equal(false);
  });

  it('the two profiles differ', () => {
    expect(quirksOf('documented')).not.to.deep.equal(quirksOf('observed'));
  });

  it('refuses what does not exist, and says what does', () => {
    expect(() => quirksOf('real' as 'observed')).to.throw(UsageError, 'documented or observed');
    expect(() => quirksOf('observed', { httpId: true } as object)).to.throw(
      UsageError,
      'did you mean httpIds',
    );
    expect(() => quirksOf('observed', { zzz: true } as object)).to.throw(UsageError, 'fullCreatedEntry');
  });
});

describe('parseQuirks', () => {
  it('reads switches', () => {
    expect(parseQuirks('digest=off, httpIds = on,')).to.deep.equal({ digest: false, httpIds: true });
    expect(parseQuirks('')).to.deep.equal({});
  });

  it('refuses other words', () => {
    for (const text of ['digest', 'digest=maybe', 'nothing=on', '=on']) {
      expect(() => parseQuirks(text), text).to.throw(UsageError);
    }
  });
});

describe('the documented profile', () => {
  /** Requests that were sent and taken, and that the documentation does not have. */
  const BEYOND: Readonly<Record<string, string>> = {
    'coldfusion-add': 'line breaks in the form',
    'coldfusion-export': 'flags in capitals',
    'dotnet-add': 'list URIs with https: and not encoded',
    'dotnet-export': 'flags in capitals, list URIs with https: and not encoded',
    'java-internal-clear': 'SV_CLEAR_INT',
    'justphp-add': 'trailing commas',
    'justphp-multipart-as-form': 'multipart called a form',
    'multipart-data-part': 'contacts as a part named data',
    'php-official-multipart': 'a column email type',
    'python-official-export': 'flags in capitals',
    'ruby-activeresource-add': 'Custom Field1',
    'ruby-httparty-add': 'two lists in one value',
    'ruby-httparty-export': 'two columns in one value',
  };

  it('takes what the documentation has, and nothing beyond it', async () => {
    const refused: string[] = [];
    for (const fixture of fixtures('ws/requests')) {
      const expected = fixture.json('expected.json') as { status?: number };
      if (expected.status !== undefined) continue;
      const { headers, body } = splitMessage(fixture.bytes('request.http'));
      try {
        checkRequest(await decodeRequest(headers['content-type'] ?? null, body, quirksOf('documented')));
      } catch (error) {
        expect(error).to.be.instanceOf(CtctError);
        refused.push(fixture.name);
      }
    }
    expect(refused).to.deep.equal(Object.keys(BEYOND));
  });

  it('is one that the client reads, page by page', async () => {
    for (const profile of PROFILES) {
      const ids = ['a07e1c', 'a07e1b', 'a07e1a'];
      const service = stubService(ids.map((id) => anActivity({ id, status: 'COMPLETE' })));
      const client = new WsClient({
        user: 'joesflowers',
        credentials: { scheme: 'bearer', token: 't0ken' },
        fetch: (input, init) => {
          const request = new Request(input, init);
          return wsServer({ account: () => service, profile, pageSize: 1 })(request);
        },
      });
      const read = async (after?: string) => {
        const found: string[] = [];
        for await (const { id } of client.list({ after })) found.push(id);
        return found;
      };
      expect(await read()).to.deep.equal(ids);
      expect(await read('a07e1c')).to.deep.equal(ids.slice(1));
      const missing: unknown = await read('a07e1x').catch((error: unknown) => error);
      expect(missing).to.be.instanceOf(ServiceError).and.include({ code: 'NOT_FOUND' });
    }
  });
});

describe('the profile of a server', () => {
  const url = 'https://api.constantcontact.com/ws/customers/joesflowers/activities/a07e1';
  const ask = async (options: object, headers: Record<string, string> = {}) => {
    const account = stubService([anActivity({ id: 'a07e1', title: '', status: 'PENDING' })]);
    const response = await wsServer({ account: () => account, ...options })(new Request(url, { headers }));
    return { status: response.status, text: await response.text() };
  };
  const isDocumented = (text: string) => text.startsWith('<?xml version="1.0"') && text.includes('href=""');
  const isObserved = (text: string) => text.startsWith("<?xml version='1.0'") && !text.includes('href=""');

  it('is observed, unless it is told otherwise', async () => {
    expect((await ask({})).text).to.satisfy(isObserved);
    expect((await ask({ profile: 'documented' })).text).to.satisfy(isDocumented);
    expect(() => wsServer({ account: () => undefined, quirks: { none: true } as object })).to.throw(
      UsageError,
    );
  });

  it('is a request’s own where the server lets it', async () => {
    const documented = { 'x-emulator-profile': 'Documented' };
    expect((await ask({}, documented)).text).to.satisfy(isObserved);
    expect((await ask({ profileHeader: true }, documented)).text).to.satisfy(isDocumented);
    expect((await ask({ profileHeader: true })).text).to.satisfy(isObserved);
    const some = { 'x-emulator-quirks': 'singleQuotedDeclaration=off' };
    const mixed = (await ask({ profileHeader: true, quirks: { entryAuthor: false } }, some)).text;
    expect(mixed).to.match(/^<\?xml version="1\.0"/);
    expect(mixed).to.include('href="activities"').and.not.to.include('Constant Contact');
    const both = (
      await ask({ profileHeader: true, quirks: { entryAuthor: true } }, { ...documented, ...some })
    ).text;
    expect(both).to.satisfy(isDocumented).and.not.to.include('Constant Contact');
  });

  it('a request that asks for what does not exist is told so', async () => {
    for (const headers of [{ 'x-emulator-profile': 'real' }, { 'x-emulator-quirks': 'none=on' }]) {
      const { status, text } = await ask({ profileHeader: true }, headers);
      expect(status).to.equal(400);
      expect(text).to.match(/documented or observed|"none"/);
    }
  });
});
