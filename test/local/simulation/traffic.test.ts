/** When requests over a connection are answered. That limited speed changes no bytes: `local/cloud/cloud.test.ts`, `end-to-end/consolidation.test.ts`. */
import { Socket } from 'node:net';
import { Traffic } from '../../../local/simulation/traffic';

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
