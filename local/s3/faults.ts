/** Faults of S3 and of the network. Only requests of functions are hit, so that what callers read is what S3 has. */
import type * as http from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type FaultInjector, type FaultTarget, runOf, type Strike } from '../faults/injector';
import { type FaultChance, type FaultKind, kindsOf } from '../faults/kinds';
import { S3Error, type S3ErrorCode } from './errors';
import type { S3Request } from './request';
import { bitOf, cutShort, flipBit, replaceAnswer } from './response-faults';

const SLOWEST_MS = 3_000;

const REFUSALS: Readonly<Partial<Record<FaultKind, S3ErrorCode>>> = {
  's3-503': 'SlowDown',
  's3-500': 'InternalError',
  's3-409': 'ConditionalRequestConflict',
};

interface Struck extends Strike {
  readonly target: FaultTarget;
}

export class S3Faults {
  /** A TLS socket cannot be reset, only the one below it. */
  private readonly sockets = new Map<number, Socket>();
  private readonly forgotten = new WeakSet<Socket>();

  constructor(
    private readonly injector: FaultInjector,
    server: http.Server,
  ) {
    server.on('connection', (socket: Socket) => {
      const { remotePort } = socket;
      if (remotePort === undefined) return;
      this.sockets.set(remotePort, socket);
      socket.once('close', () => {
        if (this.sockets.get(remotePort) === socket) this.sockets.delete(remotePort);
      });
    });
  }

  /** Nothing answers on the connection any more, as if a router had forgotten it. */
  isForgotten({ socket }: http.IncomingMessage): boolean {
    return this.forgotten.has(socket);
  }

  /** Injects at most one fault. Returns the request as S3 receives it; `undefined` if nothing may answer it. */
  async strike(request: S3Request, response: http.ServerResponse): Promise<S3Request | undefined> {
    const { target } = request.caller;
    // Between calls, a function may still load its weights. Nobody could tell whom a fault then hits.
    if (!this.injector.active || target?.payload === undefined) return request;
    const { method, bucket, key } = request;
    const strike = this.injector.strike(possible(request), {
      run: runOf(target.payload),
      place: `${method} ${bucket}/${key}`,
    });
    return strike === undefined ? request : this.inject({ ...strike, target }, request, response);
  }

  private async inject(
    struck: Struck,
    request: S3Request,
    response: http.ServerResponse,
  ): Promise<S3Request | undefined> {
    const { kind, record, random, target } = struck;
    switch (kind) {
      case 'short-body':
      case 'stalled-body':
        cutShort(response, kind, record);
        return request;
      case 'flipped-bit':
        if (request.method === 'PUT')
          return { ...request, alterBody: (bytes) => flipped(bytes, request, struck) };
        flipBit(response, random, record);
        return request;
      case 'lost-answer':
      case 'killed-after-write':
        replaceAnswer(response, () => {
          record();
          if (kind === 'lost-answer') this.reset(request);
          else target.crash();
        });
        return request;
      case 'killed-during-write':
        return { ...request, alterBody: (bytes) => killedHalfway(bytes, request, struck) };
      default:
        record();
    }
    if (Object.hasOwn(REFUSALS, kind)) throw new S3Error(REFUSALS[kind] ?? 'InternalError');
    if (kind === 'slow-response') {
      await delay(random * SLOWEST_MS);
      return request;
    }
    if (kind === 'reset') this.reset(request);
    else if (kind === 'forgotten-connection') this.forgotten.add(request.message.socket);
    else if (kind === 'out-of-memory') target.exceedMemory();
    else target.crash();
    return undefined;
  }

  private reset({ message: { socket } }: S3Request): void {
    const below = this.sockets.get(socket.remotePort ?? -1);
    if (below === undefined) socket.destroy();
    else below.resetAndDestroy();
  }
}

function possible({ method, key, headers }: S3Request): FaultKind[] {
  const chances: FaultChance[] = ['request'];
  if (method === 'GET') chances.push('read');
  if (method === 'PUT' && key !== '') chances.push('write');
  if (headers['if-none-match'] !== undefined && method === 'PUT') chances.push('conditional write');
  return kindsOf(...chances);
}

async function* flipped(
  bytes: AsyncIterable<Buffer>,
  request: S3Request,
  { random, record }: Strike,
): AsyncGenerator<Buffer, void> {
  const place = Math.floor(random * sizeOf(request));
  let at = 0;
  for await (const chunk of bytes) {
    const inChunk = place - at;
    at += chunk.byteLength;
    if (inChunk >= 0 && inChunk < chunk.byteLength) {
      chunk[inChunk] ^= bitOf(random);
      record();
    }
    yield chunk;
  }
}

async function* killedHalfway(
  bytes: AsyncIterable<Buffer>,
  request: S3Request,
  { target, record }: Struck,
): AsyncGenerator<Buffer, void> {
  let left = Math.floor(sizeOf(request) / 2);
  for await (const chunk of bytes) {
    if (chunk.byteLength >= left) {
      yield chunk.subarray(0, left);
      record();
      target.crash();
      throw new Error('the function was killed while it sent the object');
    }
    left -= chunk.byteLength;
    yield chunk;
  }
}

function sizeOf({ headers }: S3Request): number {
  return Number(headers['content-length'] ?? 1);
}
