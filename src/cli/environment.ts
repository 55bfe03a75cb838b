export type Environment = Readonly<Record<string, string | undefined>>;

/** The variables that all commands read, in the order the help shows them. */
export const ENVIRONMENT = [
  ['CTCT_USER', 'user name of the account'],
  ['CTCT_API_KEY', 'credentials: the API key …'],
  ['CTCT_PASSWORD', '… and the password; or CTCT_PASSWORD_FILE, a file with it (- is stdin);'],
  ['', 'or CTCT_PASSWORD_COMMAND, a command that prints it'],
  ['CTCT_ACCESS_TOKEN', 'instead of both, an OAuth 2 token; or CTCT_ACCESS_TOKEN_FILE, …_COMMAND'],
  ['CTCT_ACCESS_TOKEN_IN', 'where the token is sent: header (default) or query'],
  ['CTCT_API', 'ws (default), or v2: that takes the API key and the token, no user'],
  ['CTCT_BASE_URL', 'the service; default https://api.constantcontact.com'],
  ['CTCT_ALLOW_HTTP', 'hosts that may be reached by plain http'],
  [
    'CTCT_CONFIG',
    'a JSON file with the same, as user, apiKey, password …; default $XDG_CONFIG_HOME/ctct/config.json',
  ],
] as const satisfies readonly (readonly [name: string, means: string])[];

/** The value of a variable; one that is empty is as good as none. */
export function variable(env: Environment, name: string): string | undefined {
  const value = env[name];
  return value === '' ? undefined : value;
}

export function environmentLines(): string[] {
  return ['Environment:', ...ENVIRONMENT.map(([name, means]) => `  ${name.padEnd(22)} ${means}`)];
}
