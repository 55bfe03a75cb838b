import { checkRequest } from '../../src/activity/request.js';
import type { QuirkName } from '../../src/ws/quirks.js';
import { wsServer } from '../../src/ws/server.js';
import { rawAnswer, rawRequest } from './raw-answer.js';
import { aList, anActivity, stubService } from './stub-service.js';

const at = (time: string) => new Date(`2008-04-29T${time}Z`);

/** An account with one activity of each kind, that takes any credentials and any request that can be meant. */
const service = {
  user: 'joesflowers',
  ...stubService(
    [
      anActivity({
        id: 'a07e1export',
        type: 'EXPORT_CONTACTS',
        status: 'COMPLETE',
        fileName: 'a07e1export.csv',
        title: '',
        updated: at('19:36:10.948'),
      }),
      anActivity({
        id: 'a07e1add',
        type: 'ADD_CONTACTS',
        status: 'COMPLETE',
        errors: [{ lineNumber: 3, emailAddress: 'ann@example.com', message: 'Invalid email' }],
        fileName: 'up.csv',
        transactionCount: 1,
        title: '',
        insertTime: at('19:35:54.923'),
      }),
    ],
    [aList('2', 'Roses')],
    {
      create: (request) => {
        const { activityType } = checkRequest(request);
        const status = 'PENDING';
        return Promise.resolve(anActivity({ id: 'a07e1new', type: activityType, status, title: '' }));
      },
    },
  ),
};

/** The answer to a raw request, as raw text, with one quirk on or off and all others as observed. */
export async function answerWith(quirk: QuirkName, on: boolean, raw: Buffer): Promise<string> {
  const server = wsServer({
    account: (_, credentials) => (credentials === undefined ? undefined : service),
    pageSize: 1,
    now: () => Date.UTC(2008, 3, 29, 20),
    quirks: { [quirk]: on },
  });
  return rawAnswer(await server(rawRequest(raw)));
}
