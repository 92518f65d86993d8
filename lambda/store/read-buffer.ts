/**
 * The one buffer into which a connection reads. Long bodies go around Node.js's HTTP parser, which would copy each read into a
 * new buffer: see `direct-transfer.ts`.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { OnReadOpts, Socket } from 'node:net';
import { DirectBody } from './body';
import { DirectTransfer, TransferMemory } from './direct-transfer';

/** Size of the buffers that Node.js allocates by default. */
const READ_BYTES = 64 * 1024;

const LAST_BYTE = Buffer.from([0]);

const bodies = new WeakMap<object, DirectBody>();

export function wholeBody<B extends object>(response: B): B | DirectBody {
  return bodies.get(response) ?? response;
}

export class ReadBuffer {
  private readonly memory = Buffer.allocUnsafeSlow(READ_BYTES);
  private long: TransferMemory | undefined;
  private transfer: DirectTransfer | undefined;
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

/** Shorter bodies cost less than this saves. */
const LONG_BYTES = 512 * 1024;

const MAX_HEAD_BYTES = 16 * 1024;

const END = '\r\n\r\n';
const STATUS = /^HTTP\/1\.1 206 [\x20-\x7e]*$/;
const FIELD = /^([\w-]+):[ \t]*([\x20-\x7e]*)$/;
const LENGTH = /^[1-9]\d{0,14}$/;

/** Fields with which the length is not `Content-Length`, or with which the SDK wants to see the body. */
const OTHER_BODY = /^(?:transfer-encoding|content-encoding|trailer|upgrade|x-amz-checksum-.*)$/;

/** Returns `undefined` for all other bytes: Node.js's parser is to judge them. */
export function splitHead(bytes: Uint8Array) {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = buffer.indexOf(END);
  if (end < 0 || end > MAX_HEAD_BYTES) return undefined;
  const [status, ...lines] = buffer.toString('latin1', 0, end).split('\r\n');
  const fields = lines.map((line) => FIELD.exec(line));
  if (!STATUS.test(status)) return undefined;
  const lengths: string[] = [];
  let hasRange = false;
  for (const field of fields) {
    if (field === null) return undefined;
    const name = field[1].toLowerCase();
    if (OTHER_BODY.test(name)) return undefined;
    if (name === 'content-length') lengths.push(field[2]);
    // The SDK's content length is then not the object's size.
    hasRange ||= name === 'content-range';
  }
  const [length] = lengths;
  if (!hasRange || lengths.length !== 1 || !LENGTH.test(length) || Number(length) < LONG_BYTES)
    return undefined;
  const head = [status, ...lines.filter((line) => !/^content-length:/i.test(line)), 'Content-Length: 1'];
  return {
    // For the HTTP parser. It announces a body of one byte, so that the response ends when it gets this byte.
    head: Buffer.from(head.join('\r\n') + END, 'latin1'),
    bodyBytes: Number(length),
    start: bytes.subarray(end + END.length),
  };
}
