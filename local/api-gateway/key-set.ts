/** The public keys of an issuer of tokens, from a file: https://www.rfc-editor.org/rfc/rfc7517#section-5 */
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import * as fs from 'node:fs';
import { systemReason } from '../../lib/errors';
import { LocalCloudError, systemErrorCode } from '../local-cloud-error';
import { isJsonObject, listOf, parseJson } from '../json';
import { MAX_KEY_SET_BYTES } from './limits';

/** By key id. */
export type KeySet = ReadonlyMap<string, KeyObject>;

/** @throws LocalCloudError when the file is not a JSON Web Key Set with an RSA key */
export function readKeySet(file: string): KeySet {
  const content = parseJson(read(file));
  if (content === undefined) throw invalid(file, 'no JSON');
  const listed = isJsonObject(content) ? content.keys : undefined;
  const keys = listOf(listed).flatMap((key): [string, KeyObject][] => {
    if (!isJsonObject(key) || key.kty !== 'RSA' || typeof key.kid !== 'string') return [];
    return [[key.kid, publicKey(key, file)]];
  });
  if (keys.length === 0) throw invalid(file, 'no RSA key with a kid');
  return new Map(keys);
}

function read(file: string): string {
  try {
    const { size } = fs.statSync(file);
    if (size > MAX_KEY_SET_BYTES) throw invalid(file, `${size} bytes, more than ${MAX_KEY_SET_BYTES}`);
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    throw new LocalCloudError(
      `the file of keys '${file}' must be readable, got ${systemReason(error)}: check the path`,
    );
  }
}

/** Takes the public part of a key, whatever else the file has. */
function publicKey({ kty, n, e }: JsonWebKey, file: string): KeyObject {
  try {
    return createPublicKey({ key: { kty, n, e } as JsonWebKey, format: 'jwk' });
  } catch (error) {
    throw invalid(file, error instanceof Error ? error.message : String(error));
  }
}

function invalid(file: string, got: string): LocalCloudError {
  return new LocalCloudError(
    `the file of keys '${file}' must be a JSON Web Key Set with RSA keys, got ${got}: save the issuer's jwks_uri in it`,
  );
}
