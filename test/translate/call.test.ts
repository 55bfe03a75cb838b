import { expect } from 'chai';
import { translateCall, wsResource } from '../../src/translate/call.js';
import { asCurl, asData } from '../../src/translate/print.js';

const URL_OF_WS = 'https://api.constantcontact.com/ws/customers/joesflowers/activities';

async function created(form: string) {
  const headers = new Map([['content-type', 'application/x-www-form-urlencoded']]);
  const call = { place: 'call', method: 'post', url: URL_OF_WS, headers, body: Buffer.from(form) };
  const { counterpart, losses } = await translateCall(call, { to: 'v2' });
  return { calls: counterpart, codes: losses.map(({ code }) => code), losses };
}

describe('a call to ws', () => {
  it('is known by its path, whatever stands around it', () => {
    for (const [url, resource] of [
      [URL_OF_WS, 'activities'],
      ['/ws/customers/joe//activities/', 'activities'],
      ['http://k%25u:p@localhost:8080/base/ws/customers/joe/activities/a07e?x=/y#z', 'activities/a07e'],
      ['/WS/Customers/joe/lists', 'lists'],
      ['/ws/customers/joe', ''],
      ['/ws/customers', undefined],
      ['/v2/activities', undefined],
      ['https://example.com/?next=/ws/customers/joe/activities', undefined],
    ] as const) {
      expect(wsResource(url), url).to.equal(resource);
    }
  });

  it('with a country that is no code, or more than JSON can hold, is sent as a file', async () => {
    const data = (city: string, country: string, rows: number) =>
      encodeURIComponent(`Email,City,Country\n${`ann@example.com,${city},${country}\n`.repeat(rows)}`);
    const form = async (city: string, country: string, rows = 1) => {
      const { calls } = await created(`activityType=SV_ADD&lists=2&data=${data(city, country, rows)}`);
      return calls.map(({ body }) => body?.form);
    };
    expect(await form('Rome', 'it')).to.deep.equal(['json']);
    expect(await form('Rome', 'Italy')).to.deep.equal(['multipart']);
    expect(await form('Rome', 'it', 35_000)).to.deep.equal(['multipart']);
  });

  it('says which parameters ws itself passes over', async () => {
    const { losses } = await created('activityType=CLEAR_CONTACTS_FROM_LISTS&lists=2&fileType=CSV&foo=bar');
    expect(losses.map(({ code, place }) => [code, place])).to.deep.equal([
      ['PARAMETER_UNUSED', 'parameter fileType'],
      ['PARAMETER_UNUSED', 'parameter foo'],
    ]);
  });

  it('for a file of text leads to the file as CSV', async () => {
    const call = {
      place: 'call',
      method: 'GET',
      url: `${URL_OF_WS}/a%2007e.txt`,
      headers: new Map<string, string>(),
      body: Buffer.alloc(0),
    };
    const { counterpart, losses } = await translateCall(call, { to: 'v2' });
    expect(counterpart.map(({ url }) => url)).to.deep.equal([
      'https://api.constantcontact.com/v2/activities/exportfiles/a%2007e.csv',
    ]);
    expect(losses.map(({ code }) => code)).to.deep.equal(['FILE_TYPE_CHANGED']);
  });

  it('of any kind that v2 has nothing for is told', async () => {
    for (const [method, path] of [
      ['GET', ''],
      ['GET', 'contacts/1'],
      ['PUT', 'activities/%E0%A4%A'],
      ['POST', 'lists'],
    ] as const) {
      const url = `/ws/customers/joe/${path}`;
      const call = { place: 'call', method, url, headers: new Map<string, string>(), body: Buffer.alloc(0) };
      const { counterpart, losses } = await translateCall(call, { to: 'v2' });
      expect([counterpart, losses.map(({ code }) => code)]).to.deep.equal([[], ['CALL_UNSUPPORTED']]);
    }
  });

  it('is printed with no more quotes than a shell needs, its blanks in the query kept', () => {
    const json = { a: [], b: {}, c: [{ d: null }], e: "it's" };
    const body = {
      form: 'json',
      contentType: 'application/json',
      bytes: Buffer.from(JSON.stringify(json)),
      json,
    } as const;
    const call = { method: 'POST', url: 'https://api.example.com/v2/x?blanks_enabled=true', body } as const;
    expect(asCurl(call)).to.equal(
      [
        `curl -X POST 'https://api.example.com/v2/x?blanks_enabled=true&api_key='"$CTCT_API_KEY"`,
        '-H "Authorization: Bearer $CTCT_ACCESS_TOKEN"',
        "-H 'Accept: application/json'",
        "-H 'Content-Type: application/json'",
        `--data-binary '{\n  "a": [],\n  "b": {},\n  "c": [\n    {\n      "d": null\n    }\n  ],\n  "e": "it'\\''s"\n}'\n`,
      ].join(' \\\n  '),
    );
    expect(asData(call)).to.include({
      url: 'https://api.example.com/v2/x?blanks_enabled=true&api_key=$CTCT_API_KEY',
      json,
    });
  });
});
