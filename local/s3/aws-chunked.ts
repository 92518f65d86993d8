/**
 * Decodes the `aws-chunked` bodies that the SDK sends for streams: chunks with a hexadecimal size line, then trailers with
 * the checksum. A server that stores this framing as data silently corrupts objects.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
import { S3Error } from './errors';

const MAX_LINE_BYTES = 4096;

export type Trailers = Map<string, string>;

/** Yields the data, then fills `trailers` (lower-case names). */
export async function* decodeAwsChunked(
  source: AsyncIterable<Buffer>,
  trailers: Trailers,
): AsyncGenerator<Buffer, void, undefined> {
  const reader = new FrameReader(source);
  for (;;) {
    const sizeLine = await reader.line();
    if (!/^[0-9a-f]{1,12}$/i.test(sizeLine)) {
      throw malformed(`a chunk's size line is '${sizeLine.slice(0, 40)}'`);
    }
    const size = parseInt(sizeLine, 16);
    yield* reader.bytes(size);
    if (size === 0) break;
    if ((await reader.line()) !== '') throw malformed('a chunk is longer than its size line says');
  }
  for (let line = await reader.line(); line !== ''; line = await reader.line()) {
    const colon = line.indexOf(':');
    if (colon < 1) throw new S3Error('MalformedTrailerError');
    trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
}

function malformed(what: string): S3Error {
  return new S3Error('IncompleteBody', `the aws-chunked body is malformed: ${what}`);
}

class FrameReader {
  private readonly source: AsyncIterator<Buffer>;
  private buffered: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.source = source[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    let end = this.buffered.indexOf('\r\n');
    while (end < 0) {
      if (this.buffered.length > MAX_LINE_BYTES) throw malformed('a line has no end');
      const next = await this.source.next();
      if (next.done === true) throw malformed('it ends early');
      this.buffered = Buffer.concat([this.buffered, next.value]);
      end = this.buffered.indexOf('\r\n');
    }
    return this.take(end + 2).toString('latin1', 0, end);
  }

  async *bytes(count: number): AsyncGenerator<Buffer, void, undefined> {
    for (let left = count; left > 0;) {
      if (this.buffered.length === 0) {
        const next = await this.source.next();
        if (next.done === true) throw malformed('it ends early');
        this.buffered = next.value;
      }
      const part = this.take(Math.min(left, this.buffered.length));
      left -= part.length;
      yield part;
    }
  }

  private take(count: number): Buffer {
    const taken = this.buffered.subarray(0, count);
    this.buffered = this.buffered.subarray(count);
    return taken;
  }
}
