/** Splits a stream of JSON into the objects at its top: of a list, or one a line. Holds one object at a time. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;

export async function* jsonObjects(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const held: Uint8Array[] = [];
  let depth = 0;
  let isInText = false;
  let isEscaped = false;
  for await (const chunk of chunks) {
    // Where the object that is open begins in this chunk.
    let start = 0;
    for (let at = 0; at < chunk.byteLength; at++) {
      const byte = chunk[at];
      if (isInText) {
        if (isEscaped) isEscaped = false;
        else if (byte === BACKSLASH) isEscaped = true;
        else if (byte === QUOTE) isInText = false;
      } else if (byte === QUOTE) isInText = true;
      else if (byte === OPEN) {
        if (depth++ === 0) start = at;
      } else if (byte === CLOSE && --depth === 0) {
        yield Buffer.concat([...held, chunk.subarray(start, at + 1)]).toString('utf8');
        held.length = 0;
      }
    }
    // The owner of the chunk may use its memory again.
    if (depth > 0) held.push(Uint8Array.prototype.slice.call(chunk, start));
  }
  if (depth > 0) throw new Error('the JSON ends inside an object');
}
