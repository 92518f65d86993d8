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

function message(headers: Record<string, string>, method = 'OPTIONS'): IncomingMessage {
  return { method, headers } as unknown as IncomingMessage;
}

const PREFLIGHT = { 'access-control-request-method': 'POST' };

test('a preflight request of an allowed origin is answered', () => {
  expect(preflightHeaders(message({ origin: 'https://a.example', ...PREFLIGHT }), CORS)).toEqual({
    'access-control-allow-origin': 'https://a.example',
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': 'GET,POST',
    vary: 'origin',
  });
  expect(preflightHeaders(message({ origin: 'http://any.example', ...PREFLIGHT }), CORS)).toHaveProperty(
    'access-control-allow-origin',
    'http://any.example',
  );
  const every = { ...CORS, allowOrigins: ['*'], allowCredentials: false };
  expect(corsHeaders(message({ origin: 'x' }), every)).toEqual({
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'date',
  });
});

test('another origin gets no headers', () => {
  expect(preflightHeaders(message({ origin: 'https://b.example', ...PREFLIGHT }), CORS)).toEqual({});
  expect(corsHeaders(message({ origin: 'https://a.example.evil' }), CORS)).toEqual({});
  expect(corsHeaders(message({}), CORS)).toEqual({});
  expect(corsHeaders(message({ origin: 'https://a.example' }), undefined)).toEqual({});
});

test('a request without the headers of a preflight request is none', () => {
  expect(preflightHeaders(message({ origin: 'https://a.example' }), CORS)).toBeUndefined();
  expect(preflightHeaders(message(PREFLIGHT), CORS)).toBeUndefined();
  expect(
    preflightHeaders(message({ origin: 'https://a.example', ...PREFLIGHT }, 'POST'), CORS),
  ).toBeUndefined();
});
