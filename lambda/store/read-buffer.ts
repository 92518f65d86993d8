/**
 * The one buffer into which a connection reads. Long bodies go around Node.js's HTTP parser, which would copy each read into a
 * new buffer: see `direct-transfer.ts`.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { OnReadOpts, Socket } from 'node:net';
import { DirectBody } from './direct-body';
import { DirectTransfer, TransferMemory } from './direct-transfer';
import { splitHead } from './response-head';

/** Size of the buffers that Node.js allocates by default. */
const READ_BYTES = 64 * 1024;

/** Ends a body whose bytes went around the parser. */
const LAST_BYTE = Buffer.from([0]);

/** The direct bodies of responses. */
const bodies = new WeakMap<object, DirectBody>();

/** The body of the response, wherever its bytes go. */
export function wholeBody<B extends object>(response: B): B | DirectBody {
  return bodies.get(response) ?? response;
}

export class ReadBuffer {
  private readonly memory = Buffer.allocUnsafeSlow(READ_BYTES);
  private long: TransferMemory | undefined;
  private transfer: DirectTransfer | undefined;
  /** The request whose response has not begun. */
  private request: ClientRequest | undefined;
  private socket: Socket | undefined;

  readonly options: OnReadOpts = {
    buffer: () => this.transfer?.free() ?? this.memory,
    callback: (bytes, buffer) => {
      const read = buffer.subarray(0, bytes);
      if (this.transfer === undefined) this.read(read);
      else this.transfer.received(read);
      return true;
    },
  };

  attach(socket: Socket): void {
    this.socket = socket;
  }

  /** The next bytes answer this request. */
  expect(request: ClientRequest): void {
    this.request = request;
  }

  /** Gives the bytes to the HTTP parser, which has copied them when `emit` returns, but not a long body. */
  private read(bytes: Uint8Array): void {
    const { request, socket } = this;
    if (socket === undefined) return;
    this.request = undefined;
    const split = request?.method === 'GET' ? splitHead(bytes) : undefined;
    if (request === undefined || split === undefined) {
      socket.emit('data', bytes);
      return;
    }
    this.long ??= new TransferMemory();
    const transfer = new DirectTransfer(socket, this.long, split.bodyBytes, () => {
      this.transfer = undefined;
      socket.emit('data', LAST_BYTE);
    });
    this.transfer = transfer;
    request.once('response', (response: IncomingMessage) => {
      bodies.set(response, new DirectBody(response, transfer));
    });
    socket.emit('data', split.head);
    transfer.received(split.start);
  }
}
