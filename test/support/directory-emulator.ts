import { createEmulator } from '../../src/emulator/emulator.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';

/** An emulator whose account has two lists with members, somebody removed and somebody opted out. */
export function directoryEmulator() {
  const clock = createVirtualClock();
  const emulator = createEmulator({
    clock,
    pageSize: 2,
    accounts: [
      {
        user: 'joesflowers',
        lists: [
          {
            id: '2',
            name: 'Roses',
            members: [
              { emailAddress: 'ann@example.com', firstName: 'Ann', lastName: 'Lee', country: 'us' },
              { emailAddress: 'bob@example.com', city: 'Łódź <&>' },
              'cid@example.com',
            ],
          },
          { id: '5', name: 'Tulips', shortName: 'T', members: ['ann@example.com'] },
        ],
        removed: ['gone@example.com'],
        doNotMail: ['out@example.com'],
      },
    ],
  });
  return { clock, emulator, directory: emulator.account('joesflowers')!.directory };
}
