import { effectiveSettings, type EffectiveSetting } from '../config.js';
import { command, type CommandGroup } from '../command.js';
import type { View } from '../output.js';

const SETTING: View<EffectiveSetting> = {
  kind: ['setting', 'settings'],
  none: 'Nothing is set.',
  fields: [
    { name: 'setting', heading: 'Setting', value: ({ setting }) => setting },
    { name: 'value', heading: 'Value', value: ({ value }) => value },
    { name: 'origin', heading: 'Set by', value: ({ origin }) => origin },
  ],
};

/** The same without what sets it. */
const SET = { ...SETTING, fields: SETTING.fields.filter(({ name }) => name !== 'origin') };

const show = command({
  name: 'show',
  summary: 'show the settings that hold here',
  details:
    'A flag goes before a variable, that before .ctct.json of the project, that before the profile in your own file, and ' +
    'that before what stands there for all. Secrets are not shown, nor read.',
  examples: [
    ['ctct config show', 'what is set'],
    ['ctct config show --origin', 'all settings, and what sets each'],
    ['ctct config show --profile agency --output json', 'those of a profile'],
  ],
  arguments: {},
  options: { origin: { kind: 'flag', help: 'tell what sets each, and show those that nothing sets' } },
  records: ({ origin }) => (origin ? SETTING : SET),
  async run(session, { origin }) {
    const all = await effectiveSettings(session.settingSources);
    if (origin) {
      await session.output.records(SETTING, all);
      return 'ok';
    }
    const set = all.filter(({ value }) => value !== undefined);
    await session.output.records(SET, set);
    return 'ok';
  },
});

export const config: CommandGroup = {
  name: 'config',
  summary: 'see the settings',
  details: 'They come from flags, CTCT_* variables, .ctct.json of a project, and your own file.',
  examples: [['ctct config show --origin', 'what holds here, and why']],
  commands: [show],
};
