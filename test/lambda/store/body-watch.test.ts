/** The watch of a long body: when it destroys the body, and which bytes count although the connection closes later. */
import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { BodyWatch, pour } from '../../../lambda/store/body';
import { DirectBody } from '../../../lambda/store/direct-body';
import { DirectTransfer, TransferMemory } from '../../../lambda/store/direct-transfer';
import { STALL_MS } from '../../../lambda/store/limits';

/** A response that closes in a later turn, as after the close of a socket. */
class LateResponse extends EventEmitter {
  readonly socket = { errored: null, pause: () => undefined, resume: () => undefined };

  resume(): void {
    // Its head has no body that a parser reads.
  }

  destroy(): void {
    void setImmediate().then(() => this.emit('close'));
  }
}

function longBody() {
  const response = new LateResponse();
  const socket = response.socket as unknown as Socket;
  const transfer = new DirectTransfer(socket, new TransferMemory(), 2_000_000, () => undefined);
  return { response, transfer, body: new DirectBody(response as unknown as IncomingMessage, transfer) };
}

it('hands on what has arrived before its end is known, and nothing afterwards', async () => {
  const { response, transfer, body } = longBody();
  let bytes = 0;
  const take = (chunk: Uint8Array): Promise<void> => {
    bytes += chunk.byteLength;
    return setImmediate();
  };
  const closed = new Promise((resolve) => response.once('close', resolve));
  const pouring = pour(body, take, performance.now() + 600_000);
  for (let read = 0; read < 6; read++) transfer.received(new Uint8Array(100_000));
  body.destroy(new Error('no data'));
  expect(await pouring).toMatchObject({ message: 'no data' });
  expect(bytes).toBe(600_000);
  await closed;
  expect(bytes).toBe(600_000);
});

it('is no stall in a stream while bytes arrive, even if they make no piece', () => {
  jest.useFakeTimers();
  try {
    const { transfer, body } = longBody();
    body.on('error', () => undefined);
    body.on('data', () => undefined);
    body.read();
    const watch = new BodyWatch(body, performance.now() + 600_000);
    for (let read = 0; read < 5; read++) {
      jest.advanceTimersByTime(STALL_MS - 1);
      transfer.received(new Uint8Array(1_000));
    }
    expect(body.destroyed).toBe(false);
    jest.advanceTimersByTime(STALL_MS);
    expect(body.destroyed).toBe(true);
    watch.end();
  } finally {
    jest.useRealTimers();
  }
});
