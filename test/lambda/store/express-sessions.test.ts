import type { CreateSessionCommandOutput } from '@aws-sdk/client-s3';
import { ExpressSessions } from '../../../lambda/store/express-sessions';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const IDENTITY = { accessKeyId: 'id', secretAccessKey: 'secret' };
const BUCKET = { Bucket: 'fast--use1-az5--x-s3' };

/** Answers of CreateSession: how long a session lasts, in seconds, or an error. */
function sessionsOf(...answers: (number | Error)[]) {
  let calls = 0;
  const sessions = new ExpressSessions(() => {
    const answer = answers[calls++];
    if (answer instanceof Error) return Promise.reject(answer);
    const credentials = { AccessKeyId: `key-${calls}`, SecretAccessKey: 'secret', SessionToken: 'token' };
    return Promise.resolve({
      Credentials: { ...credentials, Expiration: new Date(Date.now() + answer * 1000) },
    } as CreateSessionCommandOutput);
  });
  const key = async () => (await sessions.getS3ExpressIdentity(IDENTITY, BUCKET)).accessKeyId;
  return { key, calls: () => calls };
}

beforeEach(() => jest.useFakeTimers({ now: NOW }));
afterEach(() => jest.useRealTimers());

test('requests share a session', async () => {
  const { key, calls } = sessionsOf(300);
  expect(await Promise.all([key(), key(), key()])).toEqual(['key-1', 'key-1', 'key-1']);
  expect(calls()).toBe(1);
});

test('a failed session fails only the requests that wait for it', async () => {
  const { key } = sessionsOf(new Error('503'), 300);
  const failed = await Promise.allSettled([key(), key()]);
  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await key()).toBe('key-2');
});

test('a session is renewed in its last minute, once for all requests', async () => {
  const { key, calls } = sessionsOf(300, 300);
  expect(await key()).toBe('key-1');
  jest.setSystemTime(NOW + 239_000);
  expect(await key()).toBe('key-1');
  jest.setSystemTime(NOW + 241_000);
  expect(await Promise.all([key(), key()])).toEqual(['key-2', 'key-2']);
  expect(calls()).toBe(2);
});

test('a session is used until its end while renewals fail', async () => {
  const { key } = sessionsOf(300, new Error('503'), new Error('503'), 300);
  await key();
  jest.setSystemTime(NOW + 270_000);
  expect(await key()).toBe('key-1');
  jest.setSystemTime(NOW + 301_000);
  await expect(key()).rejects.toThrow('503');
  expect(await key()).toBe('key-4');
});

test('an answer without credentials is an error', async () => {
  const sessions = new ExpressSessions(() => Promise.resolve({} as CreateSessionCommandOutput));
  await expect(sessions.getS3ExpressIdentity(IDENTITY, BUCKET)).rejects.toThrow('got none');
});
