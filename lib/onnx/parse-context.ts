/** What the parser of one model shares and notes on its way. */
import type { ExternalFiles } from './external-data';

export class ParseContext {
  /** Whether a tensor or an attribute anywhere in the model is of type float16. */
  usesFloat16 = false;
  /** What holds a string with a NUL or with invalid UTF-8. */
  unsafeStrings: string | undefined;

  constructor(readonly external: ExternalFiles) {}

  noteString(holder: string, bytes: Uint8Array): void {
    if (this.unsafeStrings === undefined && !isSafe(bytes)) this.unsafeStrings = holder;
  }
}

function isSafe(bytes: Uint8Array): boolean {
  if (bytes.includes(0)) return false;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    // The decoder's way to say that the bytes are no UTF-8.
    return false;
  }
}
