export type Environment = Readonly<Record<string, string | undefined>>;

/** The variables that all commands read, in the order the help shows them; what each means fits beside it in 80 columns. */
export const ENVIRONMENT = [
  ['CTCT_USER', 'user name of the account'],
  ['CTCT_API_KEY', 'credentials: the API key …'],
  ['CTCT_PASSWORD', '… and the password'],
  ['CTCT_PASSWORD_FILE', 'or a file with it that only you can read; - is stdin'],
  ['CTCT_PASSWORD_COMMAND', 'or a command that prints it'],
  ['CTCT_ACCESS_TOKEN', 'instead of both, an OAuth 2 token'],
  ['CTCT_ACCESS_TOKEN_FILE', 'or a file with it that only you can read; - is stdin'],
  ['CTCT_ACCESS_TOKEN_COMMAND', 'or a command that prints it'],
  ['CTCT_ACCESS_TOKEN_IN', 'where the token is sent: header (default) or query'],
  ['CTCT_API', 'ws (default), or v2: API key and token, no user'],
  ['CTCT_BASE_URL', 'default https://api.constantcontact.com'],
  ['CTCT_ALLOW_HTTP', 'hosts that may be reached by plain http'],
  ['CTCT_TIMEOUT', 'how long a call may have no answer; default 120s'],
  ['CTCT_PROFILE', 'the settings of this name in your file'],
  ['CTCT_CONFIG', 'your file; default ~/.config/ctct/config.json'],
  ['CTCT_OFFLINE', '1: call nothing but this machine'],
  ['NO_COLOR', 'anything: no colours'],
] as const satisfies readonly (readonly [name: string, means: string])[];

/** The value of a variable; one that is empty is as good as none. */
export function variable(env: Environment, name: string): string | undefined {
  const value = env[name];
  return value === '' ? undefined : value;
}

export function environmentLines(): string[] {
  return ['Environment:', ...ENVIRONMENT.map(([name, means]) => `  ${name.padEnd(25)} ${means}`)];
}
