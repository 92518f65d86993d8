/** Damages a response on its way to the client, whatever writes it. */
import type * as http from 'node:http';

/** The signatures of `write` and `end` that this server uses. */
type Written = (error?: Error | null) => void;
type Write = (chunk: Buffer | string, written?: Written) => boolean;
type End = (chunk?: Buffer | string) => http.ServerResponse;

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
  const write = response.write.bind(response) as Write;
  const end = response.end.bind(response) as End;
  const total = lengthOf(response);
  let sent = 0;
  const damaged = (chunk: Buffer | string): Buffer => {
    // The caller may use its buffer again.
    const bytes = Buffer.from(chunk as string);
    const place = Math.floor(random * total(bytes)) - sent;
    sent += bytes.byteLength;
    if (place < 0 || place >= bytes.byteLength) return bytes;
    record();
    bytes[place] ^= bitOf(random);
    return bytes;
  };
  response.write = ((chunk: Buffer | string, written?: Written) =>
    write(damaged(chunk), written)) as typeof response.write;
  response.end = ((chunk?: Buffer | string) =>
    chunk === undefined ? end() : end(damaged(chunk))) as typeof response.end;
}

/** Sends a half of the response's body, and then closes the connection or sends nothing more. */
export function cutShort(
  response: http.ServerResponse,
  kind: 'short-body' | 'stalled-body',
  record: () => void,
): void {
  const write = response.write.bind(response) as Write;
  const end = response.end.bind(response) as End;
  const total = lengthOf(response);
  let left: number | undefined;
  let cut = false;
  const send = (chunk: Buffer, written: Written): void => {
    left ??= Math.floor(total(chunk) / 2);
    const part = chunk.subarray(0, left);
    left -= part.byteLength;
    if (part.byteLength === chunk.byteLength) {
      write(part, written);
      return;
    }
    cut = true;
    record();
    response.once('close', () => {
      written(new Error('the connection closed in the middle of the body'));
    });
    // Without a first byte, the head of the response waits for a body.
    if (part.byteLength === 0) response.flushHeaders();
    const sent = (): void => {
      if (kind === 'short-body') response.destroy();
    };
    if (part.byteLength === 0) sent();
    else write(part, sent);
  };
  response.write = ((chunk: Buffer, written: Written = () => undefined) => {
    send(Buffer.from(chunk), written);
    return true;
  }) as typeof response.write;
  response.end = ((chunk?: Buffer | string) => {
    if (chunk !== undefined) send(Buffer.from(chunk as string), () => undefined);
    return cut ? response : end();
  }) as typeof response.end;
}

/** Notes the announced length of the body. A body without one is sent in one piece, `end(body)`. */
function lengthOf(response: http.ServerResponse): (first: Buffer) => number {
  let announced: number | undefined;
  const writeHead = response.writeHead.bind(response) as (
    status: number,
    headers?: http.OutgoingHttpHeaders,
  ) => http.ServerResponse;
  response.writeHead = ((status: number, headers: http.OutgoingHttpHeaders = {}) => {
    const length = headers['Content-Length'];
    if (length !== undefined) announced = Number(length);
    return writeHead(status, headers);
  }) as typeof response.writeHead;
  return (first) => announced ?? first.byteLength;
}
