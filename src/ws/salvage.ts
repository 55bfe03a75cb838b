import type { Activity, ActivityError } from '../activity/activity.js';
import { salvageXml, type SalvagedElement } from '../format/xml-salvage.js';
import { readCount, readInstant, trimSpace } from './text-values.js';
import { lastSegment } from './uris.js';

/** What could still be read of a damaged entry. */
export interface SalvagedActivity {
  readonly activity: Activity;
  /** One sentence for each field that was there and could not be read. */
  readonly problems: readonly string[];
}

/**
 * The activity of an entry that is not well-formed XML, read as far as possible; undefined when nothing in it says
 * which activity it is or what it did. Never throws on any text.
 *
 * Quirk: the documented export entry never closes its title, so that all that follows stands inside the title
 * (test/fixtures/ws/records/entry-export-documented). Elements are therefore looked for at any depth, the first one counts, and
 * an entry's `source` is left out.
 */
export function salvageActivity(text: string): SalvagedActivity | undefined {
  const tree = salvageXml(text);
  const all = tree.flatMap((root) => [...descendants(root)]);
  const first = (name: string) => all.find((element) => element.name === name);
  const textOf = (name: string) => {
    const element = first(name);
    return element === undefined ? undefined : trimSpace(element.text);
  };

  const problems: string[] = [];
  const problem = (message: string) => problems.push(message);
  const instant = (name: string) => readInstant(name, textOf(name) ?? '', problem);

  const activity = first('Activity');
  const uri = activity?.attributes.id ?? textOf('id') ?? linkOf(all, 'edit') ?? '';
  const id = lastSegment(uri);
  if (activity === undefined && !/\/activities\/[^/]+$/.test(uri)) return undefined;
  const errors = all.filter((element) => element.name === 'Error').map(salvageError);
  const count = readCount('Errors', first('Errors')?.text.replace(/\s+/g, '') ?? '', problem);
  return {
    activity: {
      id,
      type: nonEmpty(textOf('Type')),
      status: nonEmpty(textOf('Status')),
      errors,
      errorCount: Math.max(count ?? 0, errors.length),
      fileName: textOf('FileName'),
      transactionCount: readCount('TransactionCount', textOf('TransactionCount') ?? '', problem),
      insertTime: instant('InsertTime'),
      runStartTime: instant('RunStartTime'),
      runFinishTime: instant('RunFinishTime'),
      updated: instant('updated'),
      title: textOf('title'),
      editMedia: linkOf(all, 'edit-media'),
    },
    problems,
  };
}

/** The element and all below it in document order, without what stands in a `source`. */
function* descendants(element: SalvagedElement): Generator<SalvagedElement> {
  if (element.name === 'source') return;
  yield element;
  for (const child of element.children) yield* descendants(child);
}

function salvageError(error: SalvagedElement): ActivityError {
  const child = (name: string) => error.children.find((candidate) => candidate.name === name);
  const line = trimSpace(child('LineNumber')?.text ?? '');
  const address = child('EmailAddress');
  return {
    lineNumber: /^[0-9]{1,15}$/.test(line) ? Number(line) : undefined,
    emailAddress: address === undefined ? undefined : trimSpace(address.text),
    message: trimSpace(child('Message')?.text ?? error.text),
  };
}

function linkOf(elements: readonly SalvagedElement[], rel: string): string | undefined {
  return elements.find((element) => element.name === 'link' && element.attributes.rel === rel)?.attributes
    .href;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
