/** Writes a run's results to S3, or returns them inline, or both, as the request wants it. */
import {
  MAX_INLINE_RESULT_BYTES,
  type ExecutionOutputs,
  type InlineMode,
  type InlineTensor,
} from '../../contract/execution';
import type { SliceManifest } from '../../contract/slice-manifest';
import { invalidInput, type NamedFailure } from '../errors';
import { base64Length, encodeInlineTensor, inlineBytes } from '../request/inline-tensor';
import type { SafetensorsStore } from '../store/safetensors-store';
import type { RawTensor } from '../tensors/tensor';

/** The rest of the 256 KiB has room for the timings of this many slices, each of at most `TIMING_BYTES`. */
const TIMINGS_INCLUDED = 100;
const TIMING_BYTES = 400;

export function checkPlannedResults(
  inline: InlineMode,
  { resultBytes, slices }: Pick<SliceManifest, 'resultBytes' | 'slices'>,
): void {
  if (inline !== 'only' || resultBytes === undefined) return;
  const least = base64Length(resultBytes);
  if (least > inlineLimit(slices)) throw tooLarge(`${least} bytes or more`, slices);
}

export async function writeResults(
  key: string,
  tensors: ReadonlyMap<string, RawTensor>,
  { inline, slices }: { readonly inline: InlineMode; readonly slices: number },
  store: SafetensorsStore,
): Promise<{ outputs: ExecutionOutputs; bytesWritten: number }> {
  const limit = inlineLimit(slices);
  if (inline === 'only') {
    const fitting = fittingTensors(tensors, limit);
    if (fitting === undefined) throw tooLarge(`more than ${limit}`, slices);
    return { outputs: { tensors: fitting }, bytesWritten: 0 };
  }
  const bytesWritten = await store.write(key, tensors);
  const s3 = store.reference(key);
  if (inline === 'never' || !mayFit(tensors, limit)) return { outputs: { s3 }, bytesWritten };
  // If an earlier attempt wrote results to S3, return those.
  const reader = bytesWritten === 0 ? await store.open(key) : undefined;
  const written = reader ? await reader.read([...reader.heads.keys()]) : tensors;
  const fitting = fittingTensors(written, limit);
  return { outputs: { s3, ...(fitting && { tensors: fitting }) }, bytesWritten };
}

function inlineLimit(slices: number): number {
  return MAX_INLINE_RESULT_BYTES - Math.max(0, slices - TIMINGS_INCLUDED) * TIMING_BYTES;
}

function tooLarge(got: string, slices: number): NamedFailure {
  const expected = `at most ${inlineLimit(slices)} bytes as JSON`;
  return invalidInput(
    `inline results must have ${expected}, got ${got}: set 'output.inline' to "auto" or "never", so that the results are in S3`,
    { expected, got },
  );
}

/** The tensors as JSON. @returns undefined if they have more than `limit` bytes */
export function fittingTensors(
  tensors: ReadonlyMap<string, RawTensor>,
  limit: number,
): Record<string, InlineTensor> | undefined {
  if (!mayFit(tensors, limit)) return undefined;
  const encoded = Object.fromEntries(
    [...tensors].map(([name, tensor]) => [name, encodeInlineTensor(tensor)]),
  );
  return Buffer.byteLength(JSON.stringify(encoded)) <= limit ? encoded : undefined;
}

/** Results that are too large are not even encoded. */
function mayFit(tensors: ReadonlyMap<string, RawTensor>, limit: number): boolean {
  return [...tensors.values()].reduce((sum, tensor) => sum + inlineBytes(tensor), 0) <= limit;
}
