/** Writes a run's results to S3, or returns them inline, or both, as the request wants it. */
import { MAX_CALL_TENSOR_BYTES } from '../../contract/direct-call';
import {
  MAX_INLINE_RESULT_BYTES,
  type ExecutionOutputs,
  type InlineMode,
  type InlineTensor,
} from '../../contract/execution';
import type { SliceManifest } from '../../contract/slice-manifest';
import { invalidInput, type NamedFailure } from '../errors';
import { base64Length, encodeInlineTensor, inlineBytes, inlineJsonBytes } from '../request/inline-tensor';
import type { SafetensorsStore } from '../store/safetensors-store';
import type { RawTensor } from '../tensors/tensor';

/** Where the answer of a call goes: into the state of an execution, or to the caller. The caller's answer may be larger. */
export type Receiver = 'state' | 'caller';

/** The rest of the 256 KiB has room for the timings of this many slices, each of at most `TIMING_BYTES`. */
const TIMINGS_INCLUDED = 100;
const TIMING_BYTES = 400;

export function checkPlannedResults(
  inline: InlineMode,
  { resultBytes, slices }: Pick<SliceManifest, 'resultBytes' | 'slices'>,
  receiver: Receiver,
): void {
  if (inline !== 'only' || resultBytes === undefined) return;
  const [least, limit] = [base64Length(resultBytes), inlineLimit(slices, receiver)];
  if (least > limit) throw tooLarge(`${least} bytes or more`, limit);
}

export interface WantedResults {
  readonly inline: InlineMode;
  readonly slices: number;
  readonly receiver: Receiver;
}

export async function writeResults(
  key: string,
  tensors: ReadonlyMap<string, RawTensor>,
  { inline, slices, receiver }: WantedResults,
  store: SafetensorsStore,
): Promise<{ outputs: ExecutionOutputs; bytesWritten: number }> {
  const limit = inlineLimit(slices, receiver);
  // The answer has the results, so the caller needs no object.
  if (inline === 'only' || (inline === 'auto' && receiver === 'caller')) {
    const fitting = fittingTensors(tensors, limit);
    if (fitting !== undefined) return { outputs: { tensors: fitting }, bytesWritten: 0 };
    if (inline === 'only') throw tooLarge(`more than ${limit}`, limit);
  }
  const bytesWritten = await store.write(key, tensors);
  const s3 = store.reference(key);
  if (inline === 'never' || receiver === 'caller' || !mayFit(tensors, limit))
    return { outputs: { s3 }, bytesWritten };
  // If an earlier attempt wrote results to S3, return those.
  const reader = bytesWritten === 0 ? await store.open(key) : undefined;
  const written = reader ? await reader.read([...reader.heads.keys()]) : tensors;
  const fitting = fittingTensors(written, limit);
  return { outputs: { s3, ...(fitting && { tensors: fitting }) }, bytesWritten };
}

function inlineLimit(slices: number, receiver: Receiver): number {
  if (receiver === 'caller') return MAX_CALL_TENSOR_BYTES;
  return MAX_INLINE_RESULT_BYTES - Math.max(0, slices - TIMINGS_INCLUDED) * TIMING_BYTES;
}

function tooLarge(got: string, limit: number): NamedFailure {
  const expected = `at most ${limit} bytes as JSON`;
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
  return inlineJsonBytes(encoded) <= limit ? encoded : undefined;
}

/** Results that are too large are not even encoded. */
function mayFit(tensors: ReadonlyMap<string, RawTensor>, limit: number): boolean {
  return [...tensors.values()].reduce((sum, tensor) => sum + inlineBytes(tensor), 0) <= limit;
}
