/** Answers ranges of one object of random bytes over TLS, at the speed of a function's network, and tells its parent its processor time. */
import { createHash, randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import * as https from 'node:https';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { type BucketShape, passed, refilled } from '../../lib/cost/formulas/slice-timing';
import { makeServerCertificate } from '../../local/http/certificate';

export interface Served {
  readonly origin: string;
  /** PEM. */
  readonly authority: string;
  readonly sha256: string;
}

const CHUNK_BYTES = 256 * 1024;

class Network {
  private tokens: number;
  private freeAt = performance.now();

  constructor(private readonly shape: BucketShape) {
    this.tokens = shape.capacity;
  }

  /** Resolves when the bytes before these have passed. */
  async pass(bytes: number): Promise<void> {
    const idleMs = performance.now() - this.freeAt;
    if (idleMs > 0) {
      this.tokens = refilled(this.tokens, idleMs / 1000, this.shape);
      this.freeAt += idleMs;
    }
    const { seconds, tokens } = passed(this.tokens, bytes, this.shape);
    this.tokens = tokens;
    this.freeAt += 1000 * seconds;
    const waitMs = this.freeAt - performance.now();
    if (waitMs > 1) await setTimeout(waitMs);
  }
}

/** @param shape none without a limit */
async function serve(bytes: number, shape: BucketShape | undefined): Promise<Served> {
  const object = Buffer.allocUnsafeSlow(bytes);
  for (let start = 0; start < bytes; start += CHUNK_BYTES)
    randomFillSync(object, start, Math.min(CHUNK_BYTES, bytes - start));
  let network: Network | undefined;
  const send = async (response: ServerResponse, start: number, end: number): Promise<void> => {
    const head = { ETag: '"object"', 'Content-Length': end - start };
    response.writeHead(206, { ...head, 'Content-Range': `bytes ${start}-${end - 1}/${bytes}` });
    for (let at = start; at < end; at += CHUNK_BYTES) {
      const chunk = object.subarray(at, Math.min(end, at + CHUNK_BYTES));
      await network?.pass(chunk.length);
      if (!response.write(chunk)) await once(response, 'drain');
    }
    response.end();
  };
  const { authority, certificate: cert, privateKey: key } = makeServerCertificate();
  const server = https.createServer({ cert, key }, (request, response) => {
    const [, start, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    void send(response, Number(start), Math.min(bytes, Number(last) + 1));
  });
  process.on('message', () => {
    // Each download has the network of a new sandbox.
    network = shape && new Network(shape);
    process.send?.(process.cpuUsage());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    origin: `https://127.0.0.1:${port}`,
    authority,
    sha256: createHash('sha256').update(object).digest('hex'),
  };
}

// It ends with its parent.
process.on('disconnect', () => process.exit());

const [, , bytes, shape] = process.argv;
void serve(Number(bytes), (JSON.parse(shape) as BucketShape | null) ?? undefined).then((served) =>
  process.send?.(served),
);
