import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UsageError } from '../../activity/errors.js';
import type { ReadRun } from '../../migrate/read-run.js';
import type { MigrationReport } from '../../migrate/report.js';
import { checkFile } from '../archive-target.js';
import { command } from '../command.js';
import { OF_SERVICE } from '../global-options.js';
import { exitOfRun, runWords, tellNextOfRun } from '../migration-status-output.js';
import { PartFile } from '../part-file.js';
import type { Session } from '../session.js';

export const migrateReport = command({
  name: 'report',
  summary: 'tell what became of each part, row and list of a migration',
  details:
    'Every part with its activity, every row that failed with file, line and address, and the lists of the target, read ' +
    'back and compared with what was expected. The rows that failed can be had as files to correct and plan again. ' +
    'The exit code is that of "ctct migrate status".',
  examples: [
    ['ctct migrate report plan.json', 'as tables'],
    ['ctct migrate report plan.json --html report.html', 'a page for any browser'],
    ['ctct migrate report plan.json --failing-rows again/', 'what failed, to correct and run again'],
  ],
  without: OF_SERVICE,
  arguments: { plan: { help: 'what "ctct migrate plan" wrote' } },
  options: {
    output: {
      kind: 'choice',
      choices: ['table', 'json'],
      value: 'format',
      fallback: 'table',
      help: 'how the report is put out',
    },
    html: { kind: 'text', value: 'file', help: 'write it as a page, too' },
    failingRows: {
      kind: 'text',
      value: 'folder',
      help: 'write the rows that failed there, too, and uploads.csv to plan them again',
    },
    state: { kind: 'text', value: 'folder', help: 'where the run keeps its state; default beside the plan' },
    force: { kind: 'flag', help: 'write over files that are there' },
  },
  records: async (_, format) => {
    const { ACCOUNT, REPORT } = await import('../migration-report-output.js');
    return format === 'json' ? REPORT : ACCOUNT;
  },
  async run(session, { plan, html, failingRows, state, force }) {
    const { readRun } = await import('../../migrate/read-run.js');
    const { buildReport } = await import('../../migrate/report.js');
    const { runStatus } = await import('../../migrate/status.js');
    const { putReport } = await import('../migration-report-output.js');
    if (html !== undefined) {
      if (resolve(html) === resolve(plan)) {
        throw new UsageError('OPTION_INVALID', '--html: is the plan; name another file');
      }
      await checkFile(html, force);
    }
    if (failingRows !== undefined) await checkFolder(failingRows, force);
    const run = await readRun(plan, state);
    const now = session.clock.now();
    const status = runStatus(run.plan, run.state, { now, running: run.running });
    const report = await buildReport(run, { now });
    await putReport(session.output, report, html !== undefined || failingRows !== undefined);
    if (html !== undefined) await writePage(session, html, force, report);
    if (failingRows !== undefined) await writeRows(session, failingRows, run, report);
    tellNextOfRun(session, status, runWords(plan, state, run.plan));
    return exitOfRun(status);
  },
});

/** Refuses a folder that has failing rows in it, somebody being at work on them, perhaps. */
async function checkFolder(folder: string, force: boolean): Promise<void> {
  const { FAILING_ROWS } = await import('../../migrate/failing-rows-files.js');
  const file = join(folder, FAILING_ROWS);
  if (!force && existsSync(file)) throw new UsageError('FILE_EXISTS', `${file}: is there already`);
}

async function writePage(
  session: Session,
  path: string,
  force: boolean,
  report: MigrationReport,
): Promise<void> {
  const { reportHtml } = await import('../../migrate/report-html.js');
  await PartFile.whole(path, force, reportHtml(report));
  session.talk.note(`The page is ${path}`);
}

async function writeRows(
  session: Session,
  folder: string,
  { plan, planFolder }: ReadRun,
  { failingRows }: MigrationReport,
): Promise<void> {
  const { FAILING_ROWS, LISTS, UPLOADS, writeFailingRows } =
    await import('../../migrate/failing-rows-files.js');
  const { files, listsMapped } = await writeFailingRows(folder, plan, failingRows, { planFolder });
  const { talk } = session;
  if (failingRows.length === 0) {
    talk.note(`No row failed: there is only a heading in ${join(folder, FAILING_ROWS)}`);
    return;
  }
  talk.note(`The rows that failed are in ${join(folder, FAILING_ROWS)}, each with its message.`);
  if (files.length === 0) return;
  const lists = listsMapped ? ['--lists', join(folder, LISTS)] : [];
  const uploads = ['--uploads', join(folder, UPLOADS)];
  const words = ['migrate', 'plan', ...uploads, ...lists, '--out', join(folder, 'plan.json')];
  talk.note(
    `Correct them in ${files.map((file) => join(folder, file)).join(', ')}; then plan them, with the`,
  );
  talk.note(`--accounts of the first plan where it had any: ${session.commandLine(...words)}`);
}
