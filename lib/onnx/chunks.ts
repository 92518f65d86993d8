/** The content of a file to write, as a sequence of literal bytes and ranges of the model's files. */
import { fieldHead } from './encode';
import type { SourceRange } from './model';

export type Chunk = Uint8Array | SourceRange;

/** In bytes. */
export function totalLength(chunks: readonly Chunk[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
}

/** A length-delimited field around `content`. */
export function submessage(fieldNumber: number, content: readonly Chunk[]): Chunk[] {
  return [fieldHead(fieldNumber, totalLength(content)), ...content];
}

/** The zeros that bring `length` up to a multiple of `alignment`. */
export function padding(length: number, alignment: number): Uint8Array {
  return new Uint8Array((alignment - (length % alignment)) % alignment);
}
