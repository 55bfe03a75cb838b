import { command } from '../command.js';
import { LIST } from '../views.js';

export const lists = command({
  name: 'lists',
  summary: 'show the contact lists of the account',
  examples: [
    ['ctct lists', 'ids, names and member counts'],
    ['ctct lists --output json', 'the same as JSON'],
  ],
  arguments: {},
  options: {},
  records: () => LIST,
  async run(session) {
    const service = await session.service();
    await session.output.records(LIST, service.lists(session.abort));
    return 'ok';
  },
});
