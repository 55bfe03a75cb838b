import { ArchiveReading } from '../archive-reading.js';
import { checkFile } from '../archive-target.js';
import { command } from '../command.js';
import { OF_RECORDS, OF_SERVICE } from '../global-options.js';
import { PartFile, partOf } from '../part-file.js';

export const archiveReport = command({
  name: 'report',
  summary: 'write a page about stored feeds, with plots and a table',
  details:
    'One HTML file that loads nothing from anywhere: activities by month and type, error rate, run times, the ' +
    'commonest errors, and a table of the newest activities that can be sorted and searched.',
  examples: [
    ['ctct archive report feeds/ --out report.html', 'open it in any browser'],
    ['ctct archive report feeds/ --out report.html --title "Spring 2011"', 'under a title'],
  ],
  without: [...OF_SERVICE, ...OF_RECORDS],
  arguments: { path: { help: 'file, folder, pattern, or - for stdin', several: true } },
  options: {
    out: { kind: 'text', value: 'file', required: true, help: 'the page, or - for stdout' },
    title: { kind: 'text', value: 'text', help: 'title of the page' },
    force: { kind: 'flag', help: 'write over a file that is there' },
  },
  async run(session, { path, out, title, force }) {
    const { writeReport } = await import('../../archive/report.js');
    const reading = await ArchiveReading.open(session, path);
    if (out !== '-') {
      for (const name of [out, partOf(out)]) await reading.checkNotRead('--out', name);
      await checkFile(out, force);
    }
    const page = writeReport(reading.records(), {
      sources: path,
      tally: reading.tally,
      clock: session.clock,
      ...(title !== undefined && { title }),
    });
    const file = out === '-' ? undefined : await PartFile.begin(out, force);
    try {
      // The first piece comes when all has been read.
      for await (const piece of page) {
        if (reading.interrupted) break;
        await (file?.write(piece) ?? session.output.raw(piece));
      }
      if (!reading.interrupted) await file?.publish();
    } catch (error) {
      await file?.discard();
      throw error;
    }
    if (reading.interrupted) await file?.discard();
    else if (file !== undefined) session.talk.note(`The page is ${out}`);
    return reading.end(path, 'no page was written');
  },
});
