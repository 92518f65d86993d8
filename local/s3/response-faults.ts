/** Damages a response on its way to the client, whatever writes it. */
import type * as http from 'node:http';

/** The signatures of `writeHead`, `write` and `end` that this server uses. */
type Written = (error?: Error | null) => void;
type Write = (chunk: Buffer, written: Written) => boolean;
type End = () => http.ServerResponse;
type WriteHead = (status: number, headers: http.OutgoingHttpHeaders) => http.ServerResponse;

/** Calls `instead` when the response would begin to be sent. Nothing is sent. */
export function replaceAnswer(response: http.ServerResponse, instead: () => void): void {
  let done = false;
  const strike = (): http.ServerResponse => {
    if (!done) instead();
    done = true;
    return response;
  };
  response.writeHead = strike;
  response.end = strike as typeof response.end;
}

export function bitOf(random: number): number {
  return 1 << Math.floor(((random * 1e4) % 1) * 8);
}

export function flipBit(response: http.ServerResponse, random: number, record: () => void): void {
  alterBody(response, (bytes, at, total) => {
    const place = Math.floor(random * total) - at;
    if (place >= 0 && place < bytes.byteLength) {
      record();
      bytes[place] ^= bitOf(random);
    }
    return bytes;
  });
}

/** Sends a half of the response's body, and then closes the connection or sends nothing more. */
export function cutShort(
  response: http.ServerResponse,
  kind: 'short-body' | 'stalled-body',
  record: () => void,
): void {
  const half = (bytes: Buffer, at: number, total: number): Buffer =>
    bytes.subarray(0, Math.max(0, Math.floor(total / 2) - at));
  alterBody(response, half, () => {
    record();
    // Without a first byte, the head of the response waits for a body.
    response.flushHeaders();
    if (kind === 'short-body') response.destroy();
  });
}

/**
 * Sends what `alter` returns of each chunk, given its place in the body. If that is shorter than the chunk, nothing follows: `cut` is
 * called once the rest is sent, and whoever waits for the chunk learns that the connection has closed.
 */
function alterBody(
  response: http.ServerResponse,
  alter: (bytes: Buffer, at: number, total: number) => Buffer,
  cut: () => void = () => undefined,
): void {
  const write = response.write.bind(response) as Write;
  const end = response.end.bind(response) as End;
  const writeHead = response.writeHead.bind(response) as WriteHead;
  let announced: number | undefined;
  let at = 0;
  let isCut = false;
  const send = (chunk: Buffer | string, written: Written = () => undefined): void => {
    // The caller may use its buffer again.
    const bytes = Buffer.from(chunk as string);
    const sent = alter(bytes, at, announced ?? bytes.byteLength);
    at += bytes.byteLength;
    isCut = sent.byteLength < bytes.byteLength;
    if (!isCut) {
      write(sent, written);
      return;
    }
    response.once('close', () => {
      written(new Error('the connection closed in the middle of the body'));
    });
    if (sent.byteLength === 0) cut();
    else write(sent, cut);
  };
  response.writeHead = ((status: number, headers: http.OutgoingHttpHeaders = {}) => {
    const length = headers['Content-Length'];
    if (length !== undefined) announced = Number(length);
    return writeHead(status, headers);
  }) as typeof response.writeHead;
  response.write = ((chunk: Buffer, written?: Written) => {
    send(chunk, written);
    return true;
  }) as typeof response.write;
  response.end = ((chunk?: Buffer | string) => {
    if (chunk !== undefined) send(chunk);
    return isCut ? response : end();
  }) as typeof response.end;
}
