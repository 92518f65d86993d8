import type { IncomingMessage } from 'node:http';
import { type Cors, corsHeaders, preflightHeaders } from '../../../local/api-gateway/cors';

const CORS: Cors = {
  allowOrigins: ['https://a.example', 'http://*'],
  allowMethods: ['GET', 'POST'],
  allowHeaders: [],
  exposeHeaders: ['date'],
  allowCredentials: true,
  maxAgeSeconds: undefined,
};
const ALLOWED = { 'access-control-allow-credentials': 'true', vary: 'origin' };
const METHODS = { 'access-control-allow-methods': 'GET,POST' };

function message(origin: string | undefined, more: object = {}): IncomingMessage {
  const headers = { 'access-control-request-method': 'POST', ...(origin && { origin }) };
  return { method: 'OPTIONS', headers, ...more } as unknown as IncomingMessage;
}

test.each([
  ['https://a.example', { 'access-control-allow-origin': 'https://a.example', ...ALLOWED, ...METHODS }],
  ['http://any.example', { 'access-control-allow-origin': 'http://any.example', ...ALLOWED, ...METHODS }],
  ['https://b.example', {}],
  [undefined, undefined],
])('a preflight request of %s is answered with %j', (origin, expected) => {
  expect(preflightHeaders(message(origin), CORS)).toEqual(expected);
});

test.each([{ headers: { origin: 'https://a.example' } }, { method: 'POST' }])(
  'a request with %j is no preflight request',
  (more) => {
    expect(preflightHeaders(message('https://a.example', more), CORS)).toBeUndefined();
  },
);

test('another request gets the headers of its origin', () => {
  const every = { ...CORS, allowOrigins: ['*'], allowCredentials: false };
  const expected = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'date' };
  expect(corsHeaders(message('x'), every)).toEqual(expected);
  expect(corsHeaders(message('https://a.example.evil'), CORS)).toEqual({});
  expect(corsHeaders(message(undefined), CORS)).toEqual({});
  expect(corsHeaders(message('https://a.example'), undefined)).toEqual({});
});
