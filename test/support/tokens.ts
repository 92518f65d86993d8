/** JSON Web Tokens and the key that signs them. */
import { generateKeyPairSync, sign } from 'node:crypto';
import type { JsonObject } from '../../local/json';

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

export const ISSUER = 'https://issuer.example';

/** The set of keys that an issuer publishes. */
export const KEY_SET = {
  keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'RS256' }],
};

/** A token that is valid for an hour, with these changes to its claims and its header. */
export function token(claims: JsonObject = {}, header: JsonObject = {}): string {
  const now = Math.floor(Date.now() / 1000);
  const parts = [
    { alg: 'RS256', kid: 'one', typ: 'JWT', ...header },
    { iss: ISSUER, aud: 'me', scope: 'text/read', iat: now, exp: now + 3600, ...claims },
  ].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  const signed = parts.join('.');
  return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), privateKey).toString('base64url')}`;
}
