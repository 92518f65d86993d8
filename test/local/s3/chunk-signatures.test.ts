/** The example of AWS: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html */
import { decodeAwsChunked, type Trailers } from '../../../local/s3/aws-chunked';
import { ChunkSignatures } from '../../../local/s3/chunk-signatures';
import { hmac, sha256, signingKey } from '../../support/signed-request';

const SCOPE = '20130524/us-east-1/s3/aws4_request';
const TIME = '20130524T000000Z';
const KEY = signingKey('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', SCOPE);
const SEED = '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9';
const SIGNING = { signingKey: KEY, time: TIME, scope: SCOPE, seed: SEED };

const FIRST = 'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648';
const SECOND = '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497';
const LAST = 'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9';

function chunk(size: number, signature: string, letter = 'a'): string {
  return `${size.toString(16)};chunk-signature=${signature}\r\n${letter.repeat(size)}\r\n`;
}

async function decode(wire: string, signing = SIGNING): Promise<number> {
  const trailers: Trailers = new Map();
  let size = 0;
  const source = (async function* () {
    for (let at = 0; at < wire.length; at += 10_000) {
      yield await Promise.resolve(Buffer.from(wire.slice(at, at + 10_000)));
    }
  })();
  for await (const bytes of decodeAwsChunked(source, trailers, new ChunkSignatures(signing)))
    size += bytes.length;
  return size;
}

const REFUSED = { code: 'SignatureDoesNotMatch' };

describe('signed chunks', () => {
  it("of AWS's example are accepted", async () => {
    expect(await decode(chunk(65_536, FIRST) + chunk(1024, SECOND) + chunk(0, LAST))).toBe(66_560);
  });

  it.each([
    ['another content', chunk(65_536, FIRST, 'b') + chunk(1024, SECOND) + chunk(0, LAST)],
    ['another order', chunk(1024, SECOND) + chunk(65_536, FIRST) + chunk(0, LAST)],
    ['a missing chunk', chunk(65_536, FIRST) + chunk(0, LAST)],
    ['a missing signature', `400\r\n${'a'.repeat(1024)}\r\n0\r\n\r\n`],
    ['another last signature', chunk(65_536, FIRST) + chunk(1024, SECOND) + chunk(0, FIRST)],
  ])('with %s are refused', async (_, wire) => {
    await expect(decode(wire)).rejects.toMatchObject(REFUSED);
  });

  it('of another request are refused', async () => {
    await expect(decode(chunk(0, LAST), { ...SIGNING, seed: FIRST })).rejects.toMatchObject(REFUSED);
  });

  it('cover their trailers', async () => {
    const empty = hmac(
      KEY,
      ['AWS4-HMAC-SHA256-PAYLOAD', TIME, SCOPE, SEED, sha256(''), sha256('')].join('\n'),
    );
    const trailer = 'x-amz-checksum-crc32:AAAAAA==';
    const text = [
      'AWS4-HMAC-SHA256-TRAILER',
      TIME,
      SCOPE,
      empty.toString('hex'),
      sha256(`${trailer}\n`),
    ].join('\n');
    const body = (line: string): string =>
      `0;chunk-signature=${empty.toString('hex')}\r\n${line}\r\nx-amz-trailer-signature:${hmac(KEY, text).toString('hex')}\r\n\r\n`;
    expect(await decode(body(trailer))).toBe(0);
    await expect(decode(body('x-amz-checksum-crc32:AAAAAB=='))).rejects.toMatchObject(REFUSED);
  });
});
