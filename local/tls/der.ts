/** Writes the few DER structures of an X.509 certificate: https://www.itu.int/rec/T-REC-X.690 */

/** Tags of universal types, with the bit of constructed types. */
const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
} as const;

/** A value with any tag, such as those of the context. */
export function tagged(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.of(tag, ...lengthOf(body)), body]);
}

/** One byte below 128. Above: the number of the length's bytes with the highest bit set, then the length. */
function lengthOf({ length }: Buffer): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  return [0x80 | bytes.length, ...bytes];
}

export function sequence(...content: readonly Uint8Array[]): Buffer {
  return tagged(TAG.sequence, ...content);
}

export function set(...content: readonly Uint8Array[]): Buffer {
  return tagged(TAG.set, ...content);
}

/** A positive integer, as its bytes with the highest first. A zero byte keeps it positive. */
export function integer(bytes: Uint8Array): Buffer {
  const sign = bytes[0] & 0x80 ? [Buffer.of(0)] : [];
  return tagged(TAG.integer, ...sign, bytes);
}

export function boolean(value: boolean): Buffer {
  return tagged(TAG.boolean, Buffer.of(value ? 0xff : 0));
}

/** @param unused number of bits at the end that do not count */
export function bitString(bytes: Uint8Array, unused = 0): Buffer {
  return tagged(TAG.bitString, Buffer.of(unused), bytes);
}

export function octetString(bytes: Uint8Array): Buffer {
  return tagged(TAG.octetString, bytes);
}

export function utf8String(text: string): Buffer {
  return tagged(TAG.utf8String, Buffer.from(text));
}

/** For years before 2050. */
export function utcTime(time: Date): Buffer {
  const text = time.toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return tagged(TAG.utcTime, Buffer.from(text.slice(2), 'latin1'));
}

/** An identifier such as `2.5.29.17`. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tagged(TAG.objectIdentifier, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

/** Seven bits a byte, the highest first; all bytes but the last have the highest bit set. */
function base128(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes.unshift(0x80 | (rest & 0x7f));
  return bytes;
}
