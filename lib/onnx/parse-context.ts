/** What the parser of one model shares and notes on its way. */
import { isUtf8 } from 'node:buffer';
import { TextDecoder } from 'node:util';
import { SlicedInferenceError } from '../errors';
import type { ExternalFiles } from './external-data';
import { MAX_NODES, MAX_USES, WINDOW_BYTES } from './limits';
import type { ByteSource, Span } from './wire';

export class ParseContext {
  /** Whether a tensor or an attribute anywhere in the model is of type float16. */
  usesFloat16 = false;
  /** What holds a string with a NUL or with invalid UTF-8. */
  unsafeStrings: string | undefined;
  private nodes = 0;
  private uses = 0;

  constructor(readonly external: ExternalFiles) {}

  /** Takes a node of the graph, of a body or of a function into account. */
  countNode(): void {
    if (++this.nodes > MAX_NODES) throw tooMany(MAX_NODES, 'nodes, those of bodies and functions included');
  }

  /** Takes one more input, output or capture of a node into account. */
  countUse(): void {
    if (++this.uses > MAX_USES) throw tooMany(MAX_USES, 'inputs, outputs and captures of nodes');
  }

  noteUnsafeStrings(holder: string): void {
    this.unsafeStrings ??= holder;
  }

  /** Whether a string has neither a NUL nor invalid UTF-8; `true` too once one that is not safe was noted. */
  isSafeString(source: ByteSource, span: Span): boolean {
    if (this.unsafeStrings !== undefined) return true;
    // A string may be as long as the file: of a long one only as much is held as of anything else.
    const decoder = new StreamedUtf8();
    for (let start = span.start; start < span.end; start += WINDOW_BYTES) {
      const end = Math.min(span.end, start + WINDOW_BYTES);
      if (!decoder.accepts(source.bytes({ start, end }), end === span.end)) return false;
    }
    return true;
  }
}

/** Checks text that comes in pieces. */
class StreamedUtf8 {
  private decoder: TextDecoder | undefined;

  /** Whether the bytes so far are UTF-8 without a NUL. */
  accepts(bytes: Buffer, isLast: boolean): boolean {
    if (bytes.includes(0)) return false;
    if (isLast && this.decoder === undefined) return isUtf8(bytes);
    this.decoder ??= new TextDecoder('utf-8', { fatal: true });
    try {
      this.decoder.decode(bytes, { stream: !isLast });
      return true;
    } catch {
      // The decoder's way to say that the bytes are no UTF-8.
      return false;
    }
  }
}

function tooMany(limit: number, what: string): SlicedInferenceError {
  return new SlicedInferenceError(`the model may have ${limit} ${what}`, 'more', 'split the model');
}
