/** Faults of S3 and of the network. Only requests of functions are hit, so that what callers read is what S3 has. */
import { once } from 'node:events';
import type * as http from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type FaultInjector, type FaultTarget, runOf, type Strike } from '../faults/injector';
import { type FaultChance, type FaultKind, kindsOf } from '../faults/kinds';
import { S3Error, type S3ErrorCode } from './errors';
import type { Alter, S3Request } from './request';

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
    const chance = { run: runOf(target.payload), place: `${method} ${bucket}/${key}` };
    const strike = this.injector.strike(possible(request), chance);
    return strike === undefined ? request : this.inject({ ...strike, target }, request, response);
  }

  private async inject(
    struck: Struck,
    request: S3Request,
    response: http.ServerResponse,
  ): Promise<S3Request | undefined> {
    const { kind, record, random, target } = struck;
    const cut = async (): Promise<void> => {
      record();
      // Without a first byte, the head of the answer waits for a body.
      response.flushHeaders();
      if (kind === 'short-body') response.destroy();
      else await once(response, 'close');
    };
    switch (kind) {
      case 'short-body':
      case 'stalled-body':
        return { ...request, alterAnswer: (bytes, size) => firstHalf(bytes, size, cut) };
      case 'flipped-bit':
        return {
          ...request,
          [request.method === 'PUT' ? 'alterBody' : 'alterAnswer']: (...body: Parameters<Alter>) =>
            flipped(...body, struck),
        };
      case 'lost-answer':
      case 'killed-after-write':
        replaceAnswer(response, () => {
          record();
          if (kind === 'lost-answer') this.reset(request);
          else target.crash();
        });
        return request;
      case 'killed-during-write':
        return {
          ...request,
          alterBody: (bytes, size) =>
            firstHalf(bytes, size, () => {
              record();
              target.crash();
            }),
        };
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

/** Changes one bit. */
async function* flipped(
  bytes: Parameters<Alter>[0],
  size: number,
  { random, record }: Strike,
): AsyncGenerator<Buffer, void> {
  const place = Math.floor(random * size);
  let at = 0;
  for await (const chunk of bytes) {
    const inChunk = place - at;
    at += chunk.byteLength;
    if (inChunk >= 0 && inChunk < chunk.byteLength) {
      chunk[inChunk] ^= 1 << Math.floor(((random * 1e4) % 1) * 8);
      record();
    }
    yield chunk;
  }
}

/** Passes a half, and then nothing more. */
async function* firstHalf(
  bytes: Parameters<Alter>[0],
  size: number,
  end: () => unknown,
): AsyncGenerator<Buffer, void> {
  let left = Math.floor(size / 2);
  for await (const chunk of bytes) {
    if (chunk.byteLength >= left) {
      yield chunk.subarray(0, left);
      await end();
      throw new Error('the connection closed in the middle of the body');
    }
    left -= chunk.byteLength;
    yield chunk;
  }
}

/** Calls `instead` when the answer would begin to be sent. Nothing is sent. */
function replaceAnswer(response: http.ServerResponse, instead: () => void): void {
  let done = false;
  const strike = (): http.ServerResponse => {
    if (!done) instead();
    done = true;
    return response;
  };
  response.writeHead = strike;
  response.write = strike as unknown as typeof response.write;
  response.end = strike as typeof response.end;
}
