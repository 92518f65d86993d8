/**
 * Verifies the signatures of the chunks of an `aws-chunked` body. Each covers the one before, and the first the request's.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { ALGORITHM } from '../http/presented-signature';
import { type ChunkSigning, hmac, sha256 } from '../http/signature-v4';
import { S3Error } from './errors';

export const TRAILER_SIGNATURE = 'x-amz-trailer-signature';

export class ChunkSignatures {
  private previous: string;
  private hash = createHash('sha256');

  constructor(private readonly signing: ChunkSigning) {
    this.previous = signing.seed;
  }

  update(bytes: Buffer): void {
    this.hash.update(bytes);
  }

  endChunk(signature: string | undefined): void {
    const content = [sha256(''), this.hash.digest('hex')];
    this.hash = createHash('sha256');
    this.verify(`${ALGORITHM}-PAYLOAD`, content, signature);
  }

  /** A body whose trailers are not announced has none and no signature for them. */
  endTrailers(trailers: ReadonlyMap<string, string>, signature: string | undefined): void {
    if (trailers.size === 0 && signature === undefined) return;
    const lines = [...trailers].map(([name, value]) => `${name}:${value}\n`).join('');
    this.verify('AWS4-HMAC-SHA256-TRAILER', [sha256(lines)], signature);
  }

  private verify(kind: string, content: readonly string[], signature: string | undefined): void {
    const { signingKey, time, scope } = this.signing;
    const stringToSign = [kind, time, scope, this.previous, ...content].join('\n');
    const expected = hmac(signingKey, stringToSign).toString('hex');
    const [a, b] = [Buffer.from(expected), Buffer.from(signature ?? '')];
    if (a.length !== b.length || !timingSafeEqual(a, b)) {
      throw new S3Error(
        'SignatureDoesNotMatch',
        'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
        { StringToSign: stringToSign, SignatureProvided: signature ?? '' },
      );
    }
    this.previous = expected;
  }
}
