/** Finds the heads of responses with a long body, of exactly the form in which S3 answers the read of a range. */

/** Shorter bodies cost less than this saves. */
const LONG_BYTES = 512 * 1024;

const MAX_HEAD_BYTES = 16 * 1024;

const END = '\r\n\r\n';
const STATUS = /^HTTP\/1\.1 206 [\x20-\x7e]*$/;
const FIELD = /^([\w-]+):[ \t]*([\x20-\x7e]*)$/;
const LENGTH = /^[1-9]\d{0,14}$/;

/** Fields with which the length is not `Content-Length`, or with which the SDK wants to see the body. */
const OTHER_BODY = /^(?:transfer-encoding|content-encoding|trailer|upgrade|x-amz-checksum-.*)$/;

export interface SplitHead {
  /** The head for the HTTP parser. It announces a body of one byte, so that the response ends when it gets this byte. */
  readonly head: Uint8Array;
  readonly bodyBytes: number;
  /** The bytes of the body that came with the head. */
  readonly start: Uint8Array;
}

/** Returns `undefined` for all other bytes: Node.js's parser is to judge them. */
export function splitHead(bytes: Uint8Array): SplitHead | undefined {
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
    head: Buffer.from(head.join('\r\n') + END, 'latin1'),
    bodyBytes: Number(length),
    start: bytes.subarray(end + END.length),
  };
}
