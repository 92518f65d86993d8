import * as fs from 'node:fs';
import * as path from 'node:path';
import * as fc from 'fast-check';
import { GatewayError } from '../../../local/api-gateway/gateway-error';
import { authorizeToken, readKeySet } from '../../../local/api-gateway/jwt';
import type { JsonObject } from '../../../local/json';
import { temporaryFolder } from '../../support/temporary-folder';
import { ISSUER, KEY_SET, token } from '../../support/tokens';

const FILE = path.join(temporaryFolder(), 'keys.json');

function readKeys(content: string) {
  fs.writeFileSync(FILE, content);
  return readKeySet(FILE);
}

const OTHER_KEYS = [
  { kty: 'EC', kid: 'two' },
  { kty: 'RSA', n: 'AQAB', e: 'AQAB' },
];
const KEYS = readKeys(JSON.stringify({ keys: [...KEY_SET.keys, ...OTHER_KEYS] }));
const AUTHORIZER = {
  source: { from: 'header', name: 'authorization' },
  issuer: ISSUER,
  audience: ['me'],
} as const;

function decide(presented: string, scopes: readonly string[] = [], verifies = true) {
  const keys = verifies ? KEYS : undefined;
  return authorizeToken(presented, AUTHORIZER, { scopes, keys, now: Date.now() });
}

function refusal(...given: Parameters<typeof decide>): string {
  try {
    decide(...given);
  } catch (error) {
    if (error instanceof GatewayError)
      return `${error.status} ${error.headers['www-authenticate'] as string}`;
    throw error;
  }
  return 'accepted';
}

test.each<[JsonObject, string[]]>([
  [{ sub: 'user' }, []],
  [{ aud: ['other', 'me'] }, []],
  [{ aud: undefined, client_id: 'me' }, []],
  [{ scope: 'a b' }, ['b', 'c']],
  [{ scope: undefined, scp: ['a', 'b'] }, ['b']],
])('a token with %j is accepted with its claims for the scopes %j', (claims, scopes) => {
  const kept = JSON.parse(JSON.stringify(claims)) as object;
  expect(decide(`Bearer ${token(claims)}`, scopes)).toMatchObject(kept);
});

test.each<[JsonObject, string]>([
  [{ iss: 'https://other.example' }, 'issuer'],
  [{ aud: 'other' }, 'audience'],
  [{ aud: 'other', client_id: 'me' }, 'audience'],
  [{ aud: undefined }, 'audience'],
  [{ exp: 1 }, 'expired'],
  [{ exp: '9999999999' }, 'expired'],
  [{ nbf: Date.now() }, 'not valid yet'],
  [{ iat: Date.now() }, 'not valid yet'],
])('a token with %j is refused because of its %s', (claims, reason) => {
  expect(refusal(token(claims))).toMatch(
    new RegExp(`^401 Bearer scope="" error="invalid_token" .*${reason}`),
  );
});

test('a token needs a valid signature of the key that it names, if there are keys', () => {
  const [head = '', body = '', signature = ''] = token().split('.');
  const [, other = ''] = token({ sub: 'admin' }).split('.');
  expect(refusal(`${head}.${other}.${signature}`)).toContain('a valid signature');
  expect(refusal(`${head}.${body}.AAAA`)).toContain('a valid signature');
  expect(refusal(token({}, { kid: 'two' }))).toContain('a known key id');
  expect(refusal(`${head}.${body}.AAAA`, [], false)).toBe('accepted');
});

test.each(['none', 'HS256', 'ES256', 1, null])('the algorithm %j is refused, also without keys', (alg) => {
  expect(refusal(token({}, { alg }), [], false)).toMatch(/^401 .*a supported algorithm/);
});

test('no text without a valid signature is accepted, and none ends in another error', () => {
  const part = fc.oneof(
    fc.string(),
    fc.json().map((text) => Buffer.from(text).toString('base64url')),
    fc.constant(token().split('.')[0]),
  );
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
      expect(refusal(parts.join('.'))).toMatch(/^401 Bearer/);
    }),
  );
});

test.each(['', '{}', '[]', '{"keys":[{"kty":"EC","kid":"two"}]}', '{"keys":[{"kty":"RSA","kid":"two"}]}'])(
  'a file of keys with %j is refused',
  (content) => {
    expect(() => readKeys(content)).toThrow(
      `the file of keys '${FILE}' must be a JSON Web Key Set with RSA keys, got`,
    );
  },
);
