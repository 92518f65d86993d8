/** An S3 with limited speed returns the same responses, only later. The benchmarks measure how much later. */
import { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { Traffic } from '../../../local/simulation/traffic';
import { BUCKET, s3Fixture } from '../../support/s3-fixture';

const SIMULATION = {
  network: { connectionBytesPerSecond: 200e6, functionBytesPerSecond: 300e6 },
  storage: { standard: { get: [[50, 1]], put: [[50, 1]], openForGetMs: 1, openForPutMs: 1 } },
} as const;

const fixture = s3Fixture({ caller: { traffic: new Traffic(SIMULATION, () => 0.5) } });

test('limited traffic sends and receives the same bytes', async () => {
  const { client, callers, credentials } = fixture;
  const body = Buffer.alloc(1_000_003, 'some bytes');
  await client.putObject({ Bucket: BUCKET, Key: 'a', Body: body });
  const read = async (Range?: string): Promise<Buffer> => {
    const { Body } = await client.getObject({ Bucket: BUCKET, Key: 'a', Range });
    return await buffer(Body as Readable);
  };
  expect((await read()).equals(body)).toBe(true);
  const parts = await Promise.all([read('bytes=0-499999'), read('bytes=500000-1000002')]);
  expect(Buffer.concat(parts).equals(body)).toBe(true);
  callers.remove(credentials);
  await expect(read()).rejects.toMatchObject({ name: 'InvalidAccessKeyId' });
});

interface Connection {
  readonly opened: number;
  readonly frozen?: number;
  readonly operation?: 'get' | 'put';
}

test.each<[string, Connection, ...waits: (readonly [now: number, ms: number])[]]>([
  ['waits until it is open; further ones do not', { opened: 100 }, [100, 40 + 20], [200, 20]],
  ['waits less if it was opened before', { opened: 100 }, [130, 10 + 20]],
  ['waits again after the sandbox stood still', { opened: 100, frozen: 500 }, [900, 40 + 20], [1000, 20]],
  ['waits less if it was opened after that', { opened: 880, frozen: 500, operation: 'put' }, [900, 25 + 30]],
])('the first request of a connection %s', (_, { opened, frozen, operation = 'get' }, ...expected) => {
  const standard = { get: [[50, 20]], put: [[50, 30]], openForGetMs: 40, openForPutMs: 45 } as const;
  const traffic = new Traffic({ storage: { standard } }, () => 0.5);
  const request = { store: 'standard', operation, socket: new Socket(), openedAt: opened } as const;
  if (frozen !== undefined) {
    traffic.firstByteMs(request, opened);
    traffic.freeze(frozen);
  }
  const waits = expected.map(([now]) => [now, traffic.firstByteMs(request, now)]);
  expect(waits).toEqual(expected);
});
