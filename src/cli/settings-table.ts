/**
 * What can be set, by the name a configuration file gives it; `flag` where the command line can give it too.
 * A secret never has a flag: the arguments of a command can be read by every user of the machine. `project`: a file in the
 * folder of a project may set it too, which anybody may have written who has a hand in the project.
 */
export const SETTINGS = {
  profile: { env: 'CTCT_PROFILE', flag: '--profile', project: true },
  user: { env: 'CTCT_USER', flag: '--user', project: true },
  api: { env: 'CTCT_API', flag: '--api', project: true, usual: 'ws' },
  baseUrl: {
    env: 'CTCT_BASE_URL',
    flag: '--base-url',
    project: true,
    usual: 'https://api.constantcontact.com',
  },
  timeout: { env: 'CTCT_TIMEOUT', flag: '--timeout', project: true },
  allowHttp: { env: 'CTCT_ALLOW_HTTP' },
  apiKey: { env: 'CTCT_API_KEY', secret: true },
  password: { env: 'CTCT_PASSWORD', secret: true },
  passwordFile: { env: 'CTCT_PASSWORD_FILE' },
  passwordCommand: { env: 'CTCT_PASSWORD_COMMAND' },
  accessToken: { env: 'CTCT_ACCESS_TOKEN', secret: true },
  accessTokenFile: { env: 'CTCT_ACCESS_TOKEN_FILE' },
  accessTokenCommand: { env: 'CTCT_ACCESS_TOKEN_COMMAND' },
  accessTokenIn: { env: 'CTCT_ACCESS_TOKEN_IN', usual: 'header' },
} as const satisfies Record<
  string,
  {
    readonly env: string;
    readonly flag?: string;
    readonly secret?: true;
    readonly project?: true;
    readonly usual?: string;
  }
>;

export type SettingName = keyof typeof SETTINGS;

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

export function isSecret(name: SettingName): boolean {
  return 'secret' in SETTINGS[name];
}
