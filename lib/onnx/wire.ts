/** Reads protobuf's wire format from a file through a window, and skips payloads unless the caller asks for them. */
import * as fs from 'node:fs';
import { SlicedInferenceError, quoted, systemReason } from '../errors';
import { WIRE_TYPE } from './fields';
import { WINDOW_BYTES } from './limits';

/** A range of a file: `[start, end)` in bytes. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Field {
  readonly number: number;
  readonly wireType: number;
  /** The whole field with its tag, for verbatim copies. */
  readonly whole: Span;
  /** The payload without tag and length. */
  readonly payload: Span;
  /** A varint as a signed 64-bit integer, exact up to 2^53; 0 for other wire types. */
  readonly value: number;
}

/** The bytes violate the wire format or end too early. `parseModel` turns it into an error that names the file. */
export class WireError extends Error {
  constructor(
    message: string,
    /** Whether the file ends before the message. */
    readonly truncated: boolean,
  ) {
    super(message);
  }
}

/** A file opened for positioned reads, or bytes in memory. The caller closes it. */
export class ByteSource {
  readonly size: number;
  private readonly descriptor: number | undefined;
  private window: Buffer;
  private windowStart = 0;

  /** @param held reads these bytes instead of the file */
  constructor(
    readonly path: string,
    held?: Uint8Array,
  ) {
    this.window = Buffer.from(held ?? []);
    if (held !== undefined) {
      this.size = held.length;
      return;
    }
    try {
      this.descriptor = fs.openSync(path, 'r');
    } catch (error) {
      throw new SlicedInferenceError(
        `${quoted(path)} must be a readable file`,
        systemReason(error),
        'check the path',
      );
    }
    this.size = fs.fstatSync(this.descriptor).size;
  }

  close(): void {
    if (this.descriptor !== undefined) fs.closeSync(this.descriptor);
  }

  /**
   * Fills `target` with the bytes from `offset` on. Supports files above 2 GiB.
   *
   * @throws WireError when the file ends first
   */
  read(offset: number, target: Uint8Array): void {
    if (this.descriptor === undefined) throw new WireError(`the bytes end before byte ${offset}`, true);
    let done = 0;
    while (done < target.length) {
      const count = fs.readSync(this.descriptor, target, done, target.length - done, offset + done);
      if (count === 0) throw new WireError(`the file ends at byte ${offset + done}`, true);
      done += count;
    }
  }

  /** A copy of the bytes of a span. */
  bytes(span: Span): Buffer {
    const length = span.end - span.start;
    if (span.start >= this.windowStart && span.end <= this.windowStart + this.window.length) {
      return Buffer.from(this.window.subarray(span.start - this.windowStart, span.end - this.windowStart));
    }
    const copy = Buffer.allocUnsafe(length);
    this.read(span.start, copy);
    return copy;
  }

  byte(offset: number): number {
    const inWindow = offset - this.windowStart;
    if (inWindow >= 0 && inWindow < this.window.length) return this.window[inWindow];
    if (offset >= this.size) throw new WireError(`the file ends at byte ${offset}`, true);
    const length = Math.min(WINDOW_BYTES, this.size - offset);
    if (this.window.length !== length) this.window = Buffer.allocUnsafe(length);
    this.windowStart = offset;
    this.read(offset, this.window);
    return this.window[0];
  }
}

/**
 * The fields of the message that fills `span`, in the order of the file.
 *
 * @throws WireError when the bytes are not a protobuf message
 */
export function* fields(source: ByteSource, span: Span): Generator<Field> {
  let position = span.start;
  while (position < span.end) {
    const start = position;
    const tag = varint(source, position, span.end);
    position = tag.end;
    const number = Math.floor(tag.value / 8);
    const wireType = tag.value % 8;
    if (tag.value < 8 || number > 0x1fffffff) {
      throw new WireError(`byte ${start} starts no field`, false);
    }
    const [payload, value] = payloadOf(source, { start, wireType, position, limit: span.end });
    if (payload.end > span.end || payload.end < payload.start) {
      throw new WireError(`the field at byte ${start} ends after its message`, payload.end > source.size);
    }
    position = payload.end;
    yield { number, wireType, whole: { start, end: position }, payload, value };
  }
}

function payloadOf(
  source: ByteSource,
  { start, wireType, position, limit }: { start: number; wireType: number; position: number; limit: number },
): [payload: Span, value: number] {
  switch (wireType) {
    case WIRE_TYPE.varint: {
      const { value, end } = varint(source, position, limit);
      return [{ start: position, end }, value];
    }
    case WIRE_TYPE.lengthDelimited: {
      const length = varint(source, position, limit);
      return [{ start: length.end, end: length.end + length.value }, 0];
    }
    case WIRE_TYPE.fixed64:
      return [{ start: position, end: position + 8 }, 0];
    case WIRE_TYPE.fixed32:
      return [{ start: position, end: position + 4 }, 0];
    default:
      throw new WireError(`byte ${start} starts a field of unknown wire type ${wireType}`, false);
  }
}

/** Reads the fields of a message with the functions of their numbers, in the order of the file, and skips the others. */
export function readMessage(
  source: ByteSource,
  span: Span,
  readers: Readonly<Partial<Record<number, (field: Field) => unknown>>>,
): void {
  for (const field of fields(source, span)) readers[field.number]?.(field);
}

/** The content of a length-delimited field: a message, text or bytes. Protobuf would skip other wire types. */
export function content(field: Field): Span {
  if (field.wireType === WIRE_TYPE.lengthDelimited) return field.payload;
  throw wrongWireType(field, 'a message, text or bytes');
}

export function integer(field: Field): number {
  if (field.wireType === WIRE_TYPE.varint) return field.value;
  throw wrongWireType(field, 'an integer');
}

function wrongWireType({ number, wireType, whole }: Field, expected: string): WireError {
  return new WireError(
    `field ${number} at byte ${whole.start} must hold ${expected}, not wire type ${wireType}`,
    false,
  );
}

/**
 * Checks that a field does not repeat one that a message may have once, whose value is `before`. Protobuf would merge the
 * repeats, but this library cannot know which of them the exporter meant.
 */
export function once(field: Field, before: unknown): void {
  if (before === undefined) return;
  throw new WireError(
    `field ${field.number} at byte ${field.whole.start} repeats a field that may occur once`,
    false,
  );
}

/** The elements of a repeated integer field, packed or not. */
export function* integers(source: ByteSource, field: Field): Generator<number> {
  if (field.wireType === WIRE_TYPE.varint) {
    yield field.value;
    return;
  }
  if (field.wireType !== WIRE_TYPE.lengthDelimited) throw wrongWireType(field, 'integers');
  let position = field.payload.start;
  while (position < field.payload.end) {
    const read = varint(source, position, field.payload.end);
    position = read.end;
    yield read.value;
  }
}

function varint(source: ByteSource, start: number, limit: number): { value: number; end: number } {
  let low = 0;
  let high = 0;
  for (let index = 0; index < 10; index++) {
    if (start + index >= limit)
      throw new WireError(`the varint at byte ${start} is cut off`, limit >= source.size);
    const byte = source.byte(start + index);
    const bits = byte & 0x7f;
    if (index < 4) low |= bits << (7 * index);
    else if (index === 4) {
      low |= bits << 28;
      high |= bits >> 4;
    } else high |= bits << (7 * index - 32);
    if (byte < 0x80) return { value: high * 2 ** 32 + (low >>> 0), end: start + index + 1 };
  }
  throw new WireError(`the varint at byte ${start} is longer than 10 bytes`, false);
}
