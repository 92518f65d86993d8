import { createPublicKey, type JsonWebKey } from 'node:crypto';
import * as fc from 'fast-check';
import { authorizeToken } from '../../../local/api-gateway/jwt';
import type { JsonObject } from '../../../local/json';
import { ISSUER, KEY_SET, token } from '../../support/tokens';

const [KEY] = KEY_SET.keys;
const KEYS = new Map([['one', createPublicKey({ key: KEY as JsonWebKey, format: 'jwk' })]]);
const AUTHORIZER = {
  source: { from: 'header', name: 'authorization' },
  issuer: ISSUER,
  audience: ['me'],
} as const;

function decide(presented: string | undefined, scopes: readonly string[] = []) {
  return authorizeToken(presented, AUTHORIZER, { scopes, keys: KEYS, now: Date.now() });
}

function claims(changes: JsonObject, scopes: readonly string[] = []) {
  return decide(token(changes), scopes);
}

function refusal(decision: ReturnType<typeof decide>): string {
  return 'claims' in decision ? 'accepted' : `${decision.status} ${decision.challenge}`;
}

test('a valid token is accepted with its claims', () => {
  expect(decide(`Bearer ${token({ sub: 'user' })}`)).toMatchObject({ claims: { sub: 'user' } });
  expect(claims({ aud: ['other', 'me'] })).toHaveProperty('claims');
  expect(claims({ aud: undefined, client_id: 'me' })).toHaveProperty('claims');
  expect(claims({ scope: 'a b' }, ['b', 'c'])).toHaveProperty('claims');
  expect(claims({ scope: undefined, scp: ['a', 'b'] }, ['b'])).toHaveProperty('claims');
});

test.each<[string, JsonObject, string]>([
  ['of another issuer', { iss: 'https://other.example' }, 'issuer'],
  ['for another audience', { aud: 'other' }, 'audience'],
  ['with a client id beside another audience', { aud: 'other', client_id: 'me' }, 'audience'],
  ['without an audience', { aud: undefined }, 'audience'],
  ['that has expired', { exp: 1 }, 'expired'],
  ['that never expires', { exp: undefined }, 'expired'],
  ['with a text as its expiry', { exp: '9999999999' }, 'expired'],
  ['of tomorrow', { nbf: Date.now() }, 'not valid yet'],
  ['that is issued tomorrow', { iat: Date.now() }, 'not valid yet'],
])('a token %s is refused', (_, changes, reason) => {
  expect(refusal(claims(changes))).toMatch(
    new RegExp(`^401 Bearer scope="" error="invalid_token" .*${reason}`),
  );
});

test.each(['', 'x', 'a.b', 'a.b.c', 'a.b.c.d', '..', `${token()}.x`, 'Bearer'])(
  'the text %j is no token',
  (text) => {
    expect(refusal(decide(text))).toMatch(/^401 Bearer/);
  },
);

test('a token without the scope of the route is forbidden', () => {
  expect(refusal(claims({ scope: 'a' }, ['b']))).toBe(
    '403 Bearer scope="b" error="insufficient_scope" error_description="the token does not have a required scope"',
  );
});

test('a token without a valid signature of the key that it names is refused', () => {
  const [head = '', body = '', signature = ''] = token().split('.');
  const [, other = ''] = token({ sub: 'admin' }).split('.');
  expect(refusal(decide(`${head}.${other}.${signature}`))).toContain('a valid signature');
  expect(refusal(decide(token({}, { kid: 'two' })))).toContain('a known key id');
  expect(refusal(decide(`${head}.${body}.AAAA`))).toContain('a valid signature');
});

test('a signature is not verified without keys', () => {
  const [head = '', body = ''] = token().split('.');
  const options = { scopes: [], keys: undefined, now: Date.now() };
  expect(authorizeToken(`${head}.${body}.AAAA`, AUTHORIZER, options)).toHaveProperty('claims');
});

test.each(['none', 'HS256', 'ES256', 1, null])('the algorithm %j is refused, also without keys', (alg) => {
  expect(
    refusal(authorizeToken(token({}, { alg }), AUTHORIZER, { scopes: [], keys: undefined, now: Date.now() })),
  ).toContain('a supported algorithm');
});

test('no text without a valid signature is accepted, and none ends in another error', () => {
  const part = fc.oneof(
    fc.string(),
    fc.json().map((text) => Buffer.from(text).toString('base64url')),
    fc.constant(token().split('.')[0]),
  );
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
      expect(decide(parts.join('.'))).not.toHaveProperty('claims');
    }),
  );
});
