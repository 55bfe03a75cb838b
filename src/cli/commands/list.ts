import { command } from '../command.js';
import { ACTIVITY } from '../views.js';

export const list = command({
  name: 'list',
  summary: 'show the activities the service remembers, the newest first',
  examples: [
    ['ctct list --limit 10', 'the last ten'],
    ['ctct list --output csv > activities.csv', 'all of them, for a spreadsheet'],
  ],
  arguments: {},
  options: {
    limit: {
      kind: 'number',
      value: 'n',
      from: 1,
      to: Number.MAX_SAFE_INTEGER,
      help: 'show so many (default: all)',
    },
  },
  records: () => ACTIVITY,
  async run(session, { limit }) {
    const service = await session.service();
    await session.output.records(ACTIVITY, first(service.list(session.abort), limit));
    return 'ok';
  },
});

async function* first<T>(records: AsyncIterable<T>, limit = Infinity): AsyncGenerator<T> {
  let count = 0;
  for await (const record of records) {
    yield record;
    if (++count >= limit) return;
  }
}
