import { expect } from 'chai';
import fc from 'fast-check';
import { ParseOption, XmlDocument, type XmlElement, type XmlNode } from 'libxml2-wasm';
import type { Activity } from '../../src/activity/activity.js';
import { decodeFeed, encodeFeed, type DocumentFrame } from '../../src/ws/records.js';
import { accountUris, DOCUMENTED_ORIGIN } from '../../src/ws/uris.js';
import { activity } from '../support/arbitraries.js';
import { runs } from '../support/runs.js';

const frame: DocumentFrame = {
  uris: accountUris(DOCUMENTED_ORIGIN, 'joesflowers'),
  user: 'joesflowers',
  updated: new Date('2008-04-29T19:31:00.545Z'),
};

const NAMESPACES = { a: 'http://www.w3.org/2005/Atom', c: 'http://ws.constantcontact.com/ns/1.0/' };

/** What libxml2 and XPath read of a feed: every fact of the model, by another road than ours. */
function readByXPath(xml: Uint8Array): Partial<Activity>[] {
  const document = XmlDocument.fromBuffer(xml, { option: ParseOption.XML_PARSE_NONET });
  try {
    return document.find('/a:feed/a:entry', NAMESPACES).map((entry) => {
      const text = (path: string, from: XmlNode = entry) => {
        const found = (from as XmlElement).get(path, NAMESPACES);
        return found === null ? undefined : found.content.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');
      };
      const count = (path: string, from?: XmlNode) => {
        const value = text(path, from);
        return value === undefined ? undefined : Number(value);
      };
      const instant = (path: string) => {
        const value = text(path);
        return value === undefined ? undefined : new Date(value);
      };
      const field = (name: string) => `a:content/c:Activity/c:${name}`;
      const errors = (entry as XmlElement).find(`${field('Errors')}/c:Error`, NAMESPACES).map((error) => ({
        lineNumber: count('c:LineNumber', error),
        emailAddress: text('c:EmailAddress', error),
        message: text('c:Message', error) ?? '',
      }));
      const stated = text(`${field('Errors')}/text()`);
      return {
        id: text('a:id')?.split('/').at(-1) ?? '',
        type: text(field('Type')),
        status: text(field('Status')),
        errors,
        errorCount: Math.max(stated === undefined ? 0 : Number(stated), errors.length),
        fileName: text(field('FileName')),
        transactionCount: count(field('TransactionCount')),
        insertTime: instant(field('InsertTime')),
        runStartTime: instant(field('RunStartTime')),
        runFinishTime: instant(field('RunFinishTime')),
        updated: instant('a:updated'),
        title: text('a:title'),
        editMedia: text('a:link[@rel="edit-media"]/@href'),
      };
    });
  } finally {
    document.dispose();
  }
}

describe('records beside libxml2', () => {
  it('of every feed that is written are the same', () => {
    fc.assert(
      fc.property(fc.array(activity, { maxLength: 5 }), (activities) => {
        const xml = Buffer.from(encodeFeed(activities, frame));
        const ours = decodeFeed(xml).records.map(({ record }) => record);
        expect(ours).to.deep.equal(readByXPath(xml));
      }),
      { numRuns: runs(200) },
    );
  });
});
