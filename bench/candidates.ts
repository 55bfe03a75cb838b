import { open, readFile } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';

import { addParsedRecords, RecordBuilder, type ParsedNode } from './build-records.js';
import type { BenchRecord, Checksum } from './checksum.js';

/** A way to read a feed. */
export interface Candidate {
  /** Reads a file from disk, and adds its records up. */
  readonly file: (path: string, checksum: Checksum) => Promise<void>;
  /** Reads a page that is in memory. */
  readonly page: (bytes: Buffer, checksum: Checksum) => void;
}

const CHUNK = 262_144;

/** Hands over the bytes of a file, chunk by chunk, in one buffer that is used again. */
async function eachChunk(path: string, use: (chunk: Buffer) => void): Promise<void> {
  const file = await open(path);
  try {
    const buffer = Buffer.allocUnsafeSlow(CHUNK);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK, null);
      if (bytesRead === 0) return;
      use(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

/** Parsers that take text as it comes. */
interface TextParser {
  write(text: string): void;
  close(): void;
}

function streaming(make: (builder: RecordBuilder) => TextParser): Candidate {
  return {
    async file(path, checksum) {
      const parser = make(new RecordBuilder(checksum));
      const decoder = new StringDecoder('utf8');
      await eachChunk(path, (chunk) => parser.write(decoder.write(chunk)));
      parser.write(decoder.end());
      parser.close();
    },
    page(bytes, checksum) {
      const parser = make(new RecordBuilder(checksum));
      parser.write(bytes.toString('utf8'));
      parser.close();
    },
  };
}

function whole(read: (text: string, checksum: Checksum) => void): Candidate {
  return {
    async file(path, checksum) {
      read((await readFile(path)).toString('utf8'), checksum);
    },
    page: (bytes, checksum) => read(bytes.toString('utf8'), checksum),
  };
}

/** Each loads its package, outside of the time that counts. */
export const CANDIDATES = {
  async 'ctct-activities'() {
    const { readArchive } = await import('../src/archive/read.js');
    const { decodeFeed } = await import('../src/ws/records.js');
    return {
      async file(path, checksum) {
        for await (const { activity } of readArchive(path)) checksum.add(activity);
      },
      page(bytes, checksum) {
        for (const { record } of decodeFeed(bytes).records) checksum.add(record);
      },
    };
  },

  async 'fast-xml-parser'() {
    const { XMLParser } = await import('fast-xml-parser');
    return whole((text, checksum) => {
      const parser = new XMLParser({
        ignoreAttributes: true,
        ignoreDeclaration: true,
        removeNSPrefix: true,
        parseTagValue: false,
        trimValues: false,
        htmlEntities: true,
        processEntities: {
          enabled: true,
          maxTotalExpansions: Infinity,
          maxExpandedLength: Infinity,
          maxEntityCount: Infinity,
        },
      });
      addParsedRecords(parser.parse(text) as ParsedNode, checksum);
    });
  },

  async saxes() {
    const { SaxesParser } = await import('saxes');
    return streaming((builder) => {
      const parser = new SaxesParser({ position: false });
      parser.on('opentag', ({ name }) => builder.start(name));
      parser.on('text', (text) => builder.text(text));
      parser.on('cdata', (text) => builder.text(text));
      parser.on('closetag', ({ name }) => builder.end(name));
      parser.on('error', (error) => {
        throw error;
      });
      return parser;
    });
  },

  async sax() {
    const { default: sax } = await import('sax');
    return streaming((builder) => {
      const parser = sax.parser(true, { position: false });
      parser.onopentag = ({ name }) => builder.start(name);
      parser.ontext = (text) => builder.text(text);
      parser.oncdata = (text) => builder.text(text);
      parser.onclosetag = (name) => builder.end(name);
      parser.onerror = (error) => {
        throw error;
      };
      return parser;
    });
  },

  async htmlparser2() {
    const { Parser } = await import('htmlparser2');
    return streaming((builder) => {
      const parser = new Parser(
        {
          onopentagname: (name) => builder.start(name),
          ontext: (text) => builder.text(text),
          onclosetag: (name) => builder.end(name),
        },
        { xmlMode: true, decodeEntities: true },
      );
      return { write: (text) => parser.write(text), close: () => parser.end() };
    });
  },

  async feedsmith() {
    const { parseAtomFeed } = await import('feedsmith');
    return whole((text, checksum) => {
      for (const { id = '', title, updated } of parseAtomFeed(text).entries ?? []) {
        const record: BenchRecord = {
          id: id.slice(id.lastIndexOf('/') + 1),
          title: typeof title === 'string' ? title : (title?.value ?? ''),
          updated: updated === undefined ? undefined : new Date(updated),
        };
        checksum.add(record);
      }
    });
  },
} satisfies Record<string, () => Promise<Candidate>>;

export type CandidateName = keyof typeof CANDIDATES;

/** What no reader can go below: touching the bytes, and making one string of them. */
export const FLOORS = {
  'the bytes, read': (path: string) =>
    eachChunk(path, () => {
      // nothing is done with them
    }),
  'the bytes, read and decoded': async (path: string) => {
    const decoder = new StringDecoder('utf8');
    await eachChunk(path, (chunk) => decoder.write(chunk));
  },
} as const;

export type FloorName = keyof typeof FLOORS;
