/**
 * Authorizes requests by JSON Web Tokens, as an HTTP API's JWT authorizer does.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
 */
import { createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto';
import * as fs from 'node:fs';
import { isJsonObject, type JsonObject, parseJson, textsIn } from '../json';
import { LocalCloudError } from '../local-cloud-error';
import { GatewayError } from './gateway-error';
import type { ParameterSource } from './parameter-mapping';

export interface JwtAuthorizer {
  readonly source: ParameterSource;
  readonly issuer: string;
  readonly audience: readonly string[];
}

export interface JwtOptions {
  /** The scopes of the route, one of which the token must have. */
  readonly scopes: readonly string[];
  /** Without keys, signatures are not verified. */
  readonly keys: KeySet | undefined;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** The public keys of an issuer, by key id. */
export type KeySet = ReadonlyMap<string, KeyObject>;

/**
 * Reads the RSA keys of a JSON Web Key Set: https://www.rfc-editor.org/rfc/rfc7517#section-5. Takes the public part of a key, whatever else the file has.
 * @throws LocalCloudError when the file has none
 */
export function readKeySet(file: string): KeySet {
  let got = 'no RSA key with a kid';
  try {
    const { keys } = JSON.parse(fs.readFileSync(file, 'utf8')) as { readonly keys?: readonly JsonWebKey[] };
    const known = (keys ?? []).filter(({ kty, kid }) => kty === 'RSA' && typeof kid === 'string');
    const read = known.map(
      ({ kid, kty, n, e }) =>
        [String(kid), createPublicKey({ key: { kty, n, e } as JsonWebKey, format: 'jwk' })] as const,
    );
    if (read.length > 0) return new Map(read);
  } catch (error) {
    got = (error as Error).message;
  }
  throw new LocalCloudError(
    `the file of keys '${file}' must be a JSON Web Key Set with RSA keys, got ${got}: save the issuer's jwks_uri in it`,
  );
}

/**
 * Returns the claims of a token.
 * @param presented the value at the authorizer's source: the token, with or without `Bearer`
 * @throws GatewayError 401 or 403 with the header `www-authenticate`
 */
export function authorizeToken(
  presented: string | undefined,
  authorizer: JwtAuthorizer,
  options: JwtOptions,
): JsonObject {
  if (presented === undefined || presented === '') throw challenge(401, 'Bearer');
  const scope = `Bearer scope="${options.scopes.join(' ')}"`;
  try {
    const claims = verifiedClaims(presented.replace(/^bearer\s+/i, '').trim(), authorizer, options);
    if (hasScope(claims, options.scopes)) return claims;
  } catch (error) {
    if (!(error instanceof InvalidToken)) throw error;
    throw challenge(401, `${scope} error="invalid_token" error_description="${error.message}"`);
  }
  const why = 'the token does not have a required scope';
  throw challenge(403, `${scope} error="insufficient_scope" error_description="${why}"`);
}

function challenge(status: 401 | 403, value: string): GatewayError {
  return new GatewayError(status, status === 401 ? 'Unauthorized' : 'Forbidden', {
    'www-authenticate': value,
  });
}

/** AWS documents the text about the audience only. The other texts are ours. */
class InvalidToken extends Error {}

function verifiedClaims(token: string, authorizer: JwtAuthorizer, { keys, now }: JwtOptions): JsonObject {
  const [head = '', body = '', signature = '', ...others] = token.split('.');
  const [header, claims] = [decode(head), decode(body)];
  if (header === undefined || claims === undefined || signature === '' || others.length > 0) {
    throw new InvalidToken('the token is malformed');
  }
  // API Gateway accepts RSA only.
  const digest = typeof header.alg === 'string' ? /^RS(256|384|512)$/.exec(header.alg)?.at(1) : undefined;
  if (digest === undefined) throw new InvalidToken('the token does not have a supported algorithm');
  if (keys !== undefined) {
    const key = typeof header.kid === 'string' ? keys.get(header.kid) : undefined;
    if (key === undefined) throw new InvalidToken('the token does not have a known key id');
    const signed = Buffer.from(`${head}.${body}`, 'latin1');
    if (!verify(`RSA-SHA${digest}`, signed, key, Buffer.from(signature, 'base64url'))) {
      throw new InvalidToken('the token does not have a valid signature');
    }
  }
  checkClaims(claims, authorizer, now / 1000);
  return claims;
}

/** @param now epoch seconds */
function checkClaims(claims: JsonObject, { issuer, audience }: JwtAuthorizer, now: number): void {
  if (claims.iss !== issuer) throw new InvalidToken('the token does not have a valid issuer');
  // API Gateway looks at client_id only without aud.
  if (!textsIn(claims.aud ?? claims.client_id).some((name) => audience.includes(name))) {
    throw new InvalidToken('the token does not have a valid audience');
  }
  const { exp, nbf = 0, iat = 0 } = claims;
  if (typeof exp !== 'number' || exp <= now) throw new InvalidToken('the token has expired');
  if (typeof nbf !== 'number' || nbf > now || typeof iat !== 'number' || iat > now) {
    throw new InvalidToken('the token is not valid yet');
  }
}

function hasScope(claims: JsonObject, wanted: readonly string[]): boolean {
  const given = textsIn(claims.scope ?? claims.scp).flatMap((scopes) => scopes.split(' '));
  return wanted.length === 0 || wanted.some((scope) => given.includes(scope));
}

function decode(part: string): JsonObject | undefined {
  const value = parseJson(Buffer.from(part, 'base64url').toString('utf8'));
  return isJsonObject(value) ? value : undefined;
}
