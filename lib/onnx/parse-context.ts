/** State that the parsers of one model share. */
import { TextDecoder } from 'node:util';
import { SlicedInferenceError } from '../errors';
import type { ExternalFiles } from './external-data';
import { MAX_NODES, MAX_USES, WINDOW_BYTES } from './limits';
import type { ByteSource, Span } from './wire';

export class ParseContext {
  /** Whether a tensor, an input or a type attribute read so far has the type float16. */
  usesFloat16 = false;
  /** Describes where the first string with a NUL or with invalid UTF-8 was found. */
  unsafeStrings: string | undefined;
  private nodes = 0;
  private uses = 0;

  constructor(readonly external: ExternalFiles) {}

  /** Counts a node of the graph, of a body or of a function. */
  countNode(): void {
    if (++this.nodes > MAX_NODES) throw tooMany(MAX_NODES, 'nodes, including nodes in bodies and functions');
  }

  /** Counts an input, output or capture of a node, and returns its name. */
  used(name: string): string {
    if (++this.uses > MAX_USES) throw tooMany(MAX_USES, 'inputs, outputs and captures of nodes');
    return name;
  }

  noteUnsafeStrings(holder: string): void {
    this.unsafeStrings ??= holder;
  }

  /** Whether a string has neither a NUL nor invalid UTF-8; not checked again when an unsafe string was already noted. */
  isSafeString(source: ByteSource, span: Span): boolean {
    if (this.unsafeStrings !== undefined) return true;
    const decoder = new TextDecoder('utf-8', { fatal: true });
    // A string may be as long as the file, so it is read in pieces.
    for (let start = span.start; start < span.end; start += WINDOW_BYTES) {
      const end = Math.min(span.end, start + WINDOW_BYTES);
      const bytes = source.bytes({ start, end });
      if (bytes.includes(0)) return false;
      try {
        decoder.decode(bytes, { stream: end < span.end });
      } catch {
        // A fatal decoder only throws for bytes that are no UTF-8.
        return false;
      }
    }
    return true;
  }
}

function tooMany(limit: number, what: string): SlicedInferenceError {
  return new SlicedInferenceError(`the model must have at most ${limit} ${what}`, 'more', 'split the model');
}
