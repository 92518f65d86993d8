/** Finds lines of a JSON Lines list that would fail the whole batch, before the list is uploaded. */
import { quoted, SlicedInferenceError } from '../../lib/errors';

/** Of an input: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const MAX_LINE_BYTES = 256 * 1024;

const NEWLINE = 0x0a;

/** @throws SlicedInferenceError for the first line that is too long */
export async function checkLines(list: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  let [line, bytes] = [1, 0];
  for await (const chunk of chunks) {
    for (let start = 0; start < chunk.byteLength;) {
      const newline = chunk.indexOf(NEWLINE, start);
      const end = newline < 0 ? chunk.byteLength : newline;
      bytes += end - start;
      if (bytes > MAX_LINE_BYTES) {
        throw new SlicedInferenceError(
          `line ${line} of ${quoted(list)} must have at most 256 KiB`,
          'more',
          'put its tensors into S3, and let the line name that object',
        );
      }
      if (newline >= 0) [line, bytes] = [line + 1, 0];
      start = end + 1;
    }
  }
}
