/** The functions' client when the network damages a session of a directory bucket. */
import { once } from 'node:events';
import * as http from 'node:http';
import * as path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { functionAgents } from '../../../lambda/store/connections';
import { functionObjects } from '../../../lambda/store/s3-client';
import { closeServer, listen } from '../../../local/http/loopback-server';
import { Callers } from '../../../local/s3/callers';
import { S3Server } from '../../../local/s3/server';
import { DiskObjectStore } from '../../../local/s3/store';
import { temporaryFolder } from '../../support/temporary-folder';

const BUCKET = 'fast--use1-az5--x-s3';
const LIMITS = { connect: 2_000, silence: 2_000, answer: 2_000, retry: 0 };

const environment = { ...process.env };
let s3: S3Server;
let proxy: http.Server;
/** Changes the next response to CreateSession. */
let damage: ((body: Buffer) => void) | undefined;
let sessions = 0;

async function forward(message: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const { method, headers, url = '/' } = message;
  const request = http.request(`${s3.endpoint}${url}`, { method, headers });
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

beforeAll(async () => {
  const store = new DiskObjectStore(path.join(temporaryFolder(), 's3'));
  store.createBucket(BUCKET);
  const callers = new Callers();
  const { accessKeyId, secretAccessKey } = callers.add();
  s3 = await S3Server.start(store, callers);
  proxy = http.createServer((message, response) => void forward(message, response));
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${await listen(proxy)}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  });
});
afterAll(async () => {
  process.env = environment;
  await closeServer(proxy);
  await s3.close();
});

/** Writes an object with a new client, as a cold function does, and returns the error, if there is one. */
async function write(key: string, times = 1): Promise<Error | undefined> {
  const agents = functionAgents();
  const objects = functionObjects({ agents, limits: LIMITS });
  try {
    for (let time = 0; time < times; time++) {
      await objects.putIfAbsent({ bucket: BUCKET, key: `${key}-${time}` }, [Buffer.from('x')], 0x8cdc1683);
    }
    return undefined;
  } catch (error) {
    return error as Error;
  } finally {
    agents.closeIdle();
  }
}

describe('a function', () => {
  it('writes although a byte of its session was damaged, whichever it is', async () => {
    let size = 0;
    damage = (body) => (size = body.byteLength);
    expect(await write('whole')).toBeUndefined();
    expect(size).toBeGreaterThan(300);
    const failures: string[] = [];
    for (let at = 0; at < size; at += 7) {
      damage = (body) => {
        body[at] ^= 1 << (at % 6);
      };
      const error = await write(`damaged-${at}`);
      if (error !== undefined) failures.push(`byte ${at}: ${error.message}`);
    }
    expect(failures).toEqual([]);
  });

  it('forgets a session that S3 refuses, and keeps one that S3 accepts', async () => {
    sessions = 0;
    damage = (body) => {
      body[body.indexOf('<SessionToken>') + 20] ^= 1;
    };
    expect(await write('again', 3)).toBeUndefined();
    expect(sessions).toBe(2);
  });
});
