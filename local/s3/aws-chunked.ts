/**
 * Decodes the `aws-chunked` bodies that the SDK sends for streams: chunks with a hexadecimal size line, then trailers with
 * the checksum. A server that stores this framing as data silently corrupts objects.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
import { type ChunkSignatures, TRAILER_SIGNATURE } from './chunk-signatures';
import { S3Error } from './errors';

/** Longest size line or trailer in bytes. The line of a signed chunk has about 100. */
const MAX_LINE_BYTES = 4096;

export type Trailers = Map<string, string>;

/**
 * Yields the data, then fills `trailers` (lower-case names).
 * @param signatures verifies the signature of each chunk, and of the trailers if there are any
 */
export async function* decodeAwsChunked(
  source: AsyncIterable<Buffer>,
  trailers: Trailers,
  signatures?: ChunkSignatures,
): AsyncGenerator<Buffer, void, undefined> {
  const reader = new FrameReader(source);
  for (;;) {
    const { size, signature } = chunkHead(await reader.line());
    for await (const bytes of reader.bytes(size)) {
      signatures?.update(bytes);
      yield bytes;
    }
    signatures?.endChunk(signature);
    if (size === 0) break;
    if ((await reader.line()) !== '') throw malformed('a chunk is longer than its size line says');
  }
  // Without trailers, the signed framing may end without the empty line.
  for (let line = await reader.line('may end'); line !== ''; line = await reader.line()) {
    const colon = line.indexOf(':');
    if (colon < 1) throw new S3Error('MalformedTrailerError');
    trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  const signature = trailers.get(TRAILER_SIGNATURE);
  trailers.delete(TRAILER_SIGNATURE);
  signatures?.endTrailers(trailers, signature);
}

function chunkHead(line: string): { readonly size: number; readonly signature?: string } {
  const match = /^([0-9a-f]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/i.exec(line);
  if (match?.[1] === undefined) throw malformed(`a chunk's size line is '${line.slice(0, 40)}'`);
  return { size: parseInt(match[1], 16), signature: match[2] };
}

function malformed(what: string): S3Error {
  return new S3Error('IncompleteBody', `the aws-chunked body is malformed: ${what}`);
}

/** Reads lines and counted bytes from a stream of buffers. */
class FrameReader {
  private readonly source: AsyncIterator<Buffer>;
  private buffered: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.source = source[Symbol.asyncIterator]();
  }

  /** Reads a line. If the stream may end instead, its end is an empty line. */
  async line(atEnd?: 'may end'): Promise<string> {
    let end = this.buffered.indexOf('\r\n');
    while (end < 0) {
      if (this.buffered.length > MAX_LINE_BYTES) throw malformed('a line has no end');
      const next = await this.source.next();
      if (next.done === true) {
        if (atEnd === 'may end' && this.buffered.length === 0) return '';
        throw malformed('it ends early');
      }
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
