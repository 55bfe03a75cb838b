import type { DigestCredentials, OAuthCredentials, PresentedCredentials } from '../http/presented.js';
import type { AccountSeed, CredentialsSeed } from './seed.js';

/**
 * True when the credentials are those of the seed; where it names none, any that do not name another user. What proves
 * that its sender has a secret (Digest, OAuth 1.0a) is verified where the seed has the secret, and else believed.
 */
export function admits(
  seed: Pick<AccountSeed, 'user' | 'credentials'>,
  credentials: PresentedCredentials | undefined,
): boolean {
  if (credentials === undefined) return false;
  const wanted = seed.credentials ?? {};
  switch (credentials.scheme) {
    case 'basic':
      return admitsUser(seed.user, wanted, credentials, (password) => credentials.password === password);
    case 'digest':
      return admitsUser(seed.user, wanted, credentials, (password) => credentials.verify(password));
    case 'oauth1':
      return admitsSigned(wanted, credentials);
    case 'api_key': {
      const { apiKey, ...others } = wanted;
      if (apiKey !== undefined && credentials.apiKey !== apiKey) return false;
      return admitsToken(others, credentials.token);
    }
    default:
      return admitsToken(wanted, credentials.token);
  }
}

function admitsToken(wanted: CredentialsSeed, token: string): boolean {
  if (wanted.accessToken !== undefined) return token === wanted.accessToken;
  return Object.values(wanted).every((secret) => secret === undefined);
}

function admitsUser(
  seedUser: string,
  wanted: CredentialsSeed,
  { user, apiKey }: Pick<DigestCredentials, 'user' | 'apiKey'>,
  verify: (password: string) => boolean,
): boolean {
  if (user.toLowerCase() !== seedUser.toLowerCase()) return false;
  if (wanted.apiKey === undefined && wanted.password === undefined) {
    return Object.values(wanted).every((secret) => secret === undefined);
  }
  return (
    (wanted.apiKey === undefined || apiKey === wanted.apiKey) &&
    (wanted.password === undefined || verify(wanted.password))
  );
}

function admitsSigned(wanted: CredentialsSeed, presented: OAuthCredentials): boolean {
  const { apiKey, accessToken, password, consumerSecret, tokenSecret } = wanted;
  const named =
    (apiKey === undefined || presented.consumerKey === apiKey) &&
    (accessToken === undefined || presented.token === accessToken);
  if (consumerSecret === undefined && tokenSecret === undefined) return named && password === undefined;
  return named && presented.verify({ consumerSecret: consumerSecret ?? '', tokenSecret: tokenSecret ?? '' });
}
