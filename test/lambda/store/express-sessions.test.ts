/** Sessions of directory buckets: how long they are used, and what becomes of a session that the network damages. */
import { once } from 'node:events';
import * as http from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { CreateSessionCommandOutput } from '@aws-sdk/client-s3';
import { functionAgents } from '../../../lambda/store/connections';
import { ExpressSessions } from '../../../lambda/store/express-sessions';
import { functionObjects } from '../../../lambda/store/s3-client';
import { answeringServer, useS3 } from '../../support/answering-server';
import { s3Fixture } from '../../support/s3-fixture';

const BUCKET = 'fast--use1-az5--x-s3';

describe('a session', () => {
  const NOW = Date.parse('2026-01-01T00:00:00Z');

  /** Answers of CreateSession: how long a session lasts, in seconds, an error, or nothing. */
  function sessionsOf(...answers: (number | Error | undefined)[]) {
    let calls = 0;
    const sessions = new ExpressSessions(() => {
      const answer = answers[calls++];
      if (answer instanceof Error) return Promise.reject(answer);
      if (answer === undefined) return Promise.resolve({} as CreateSessionCommandOutput);
      const credentials = { AccessKeyId: `key-${calls}`, SecretAccessKey: 'secret', SessionToken: 'token' };
      const Credentials = { ...credentials, Expiration: new Date(Date.now() + answer * 1000) };
      return Promise.resolve({ Credentials } as CreateSessionCommandOutput);
    });
    const identity = { accessKeyId: 'id', secretAccessKey: 'secret' };
    const key = async () => (await sessions.getS3ExpressIdentity(identity, { Bucket: BUCKET })).accessKeyId;
    return { key, calls: () => calls, sessions };
  }

  beforeEach(() => jest.useFakeTimers({ now: NOW }));
  afterEach(() => jest.useRealTimers());

  it('is shared by requests and renewed in its last minute, once for all requests', async () => {
    const { key, calls } = sessionsOf(300, 300);
    expect(await Promise.all([key(), key(), key()])).toEqual(['key-1', 'key-1', 'key-1']);
    jest.setSystemTime(NOW + 239_000);
    expect(await key()).toBe('key-1');
    expect(calls()).toBe(1);
    jest.setSystemTime(NOW + 241_000);
    expect(await Promise.all([key(), key()])).toEqual(['key-2', 'key-2']);
    expect(calls()).toBe(2);
  });

  it('fails only the requests that wait for it', async () => {
    const { key } = sessionsOf(new Error('503'), undefined, 300);
    const failed = await Promise.allSettled([key(), key()]);
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(key()).rejects.toThrow('S3 must answer CreateSession with credentials, got none');
    expect(await key()).toBe('key-3');
  });

  it('is asked for again if Lambda may have frozen its request', async () => {
    const { key, sessions } = sessionsOf(300, 300);
    const lost = key();
    sessions.forgetAwaited();
    expect([await key(), await lost, await key()]).toEqual(['key-2', 'key-1', 'key-2']);
  });

  it('is used until its end while renewals fail', async () => {
    const { key } = sessionsOf(300, new Error('503'), new Error('503'), 300);
    await key();
    jest.setSystemTime(NOW + 270_000);
    expect(await key()).toBe('key-1');
    jest.setSystemTime(NOW + 301_000);
    await expect(key()).rejects.toThrow('503');
    expect(await key()).toBe('key-4');
  });
});

describe('a function whose session the network damages', () => {
  const s3 = s3Fixture();
  /** Changes the next response to CreateSession. */
  let damage: ((body: Buffer) => void) | undefined;
  let sessions = 0;

  async function forward(message: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const { method, headers, url = '/' } = message;
    const request = http.request(`${s3.server.endpoint}${url}`, { method, headers });
    message.pipe(request);
    const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
    const body = await buffer(answer);
    if (url.includes('?session')) {
      sessions++;
      damage?.(body);
      damage = undefined;
    }
    delete answer.headers['transfer-encoding'];
    response.writeHead(answer.statusCode ?? 500, { ...answer.headers, 'content-length': body.byteLength });
    response.end(body);
  }

  const proxy = answeringServer('http', (message, response) => void forward(message, response));

  beforeAll(() => {
    s3.store.createBucket(BUCKET);
  });
  beforeEach(() => {
    useS3(proxy.endpoint, s3.credentials);
  });

  /** Writes objects with a new client, as a cold function does, and returns the error, if there is one. */
  async function write(key: string, times = 1): Promise<Error | undefined> {
    const agents = functionAgents();
    const limits = { connect: 2_000, silence: 2_000, answer: 2_000, retry: 0 };
    const objects = functionObjects({ agents, limits });
    try {
      for (let time = 0; time < times; time++) {
        await objects.write({ bucket: BUCKET, key: `${key}-${time}` }, [Buffer.from('x')], 0x8cdc1683);
      }
      return undefined;
    } catch (error) {
      return error as Error;
    } finally {
      agents.closeIdle();
    }
  }

  it('writes, whichever byte was damaged', async () => {
    let size = 0;
    damage = (body) => (size = body.byteLength);
    expect(await write('whole')).toBeUndefined();
    expect(size).toBeGreaterThan(300);
    const failures: string[] = [];
    for (let at = 0; at < size; at += 7) {
      damage = (body) => (body[at] ^= 1 << (at % 6));
      const error = await write(`damaged-${at}`);
      if (error !== undefined) failures.push(`byte ${at}: ${error.message}`);
    }
    expect(failures).toEqual([]);
  });

  it('forgets a session that S3 refuses, and keeps one that S3 accepts', async () => {
    sessions = 0;
    damage = (body) => (body[body.indexOf('<SessionToken>') + 20] ^= 1);
    expect(await write('again', 3)).toBeUndefined();
    expect(sessions).toBe(2);
  });
});
