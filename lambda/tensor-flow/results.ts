/** Writes a run's results to S3, and returns them inline if they are small and the request allows it. */
import {
  MAX_INLINE_RESULT_BYTES,
  type ExecutionOutputs,
  type InlineMode,
  type InlineTensor,
} from '../../contract/execution';
import { outputObjectKey } from '../../contract/keys';
import { encodeInlineTensor, inlineBytes } from '../request/inline-tensor';
import type { SafetensorsStore } from '../store/safetensors-store';
import type { RawTensor } from '../tensors/tensor';

/** The rest of the 256 KiB has room for the timings of this many slices, each of at most `TIMING_BYTES`. */
const TIMINGS_INCLUDED = 100;
const TIMING_BYTES = 400;

export async function writeResults(
  run: string,
  tensors: ReadonlyMap<string, RawTensor>,
  { inline, slices }: { readonly inline: InlineMode; readonly slices: number },
  store: SafetensorsStore,
): Promise<{ outputs: ExecutionOutputs; bytesWritten: number }> {
  const key = outputObjectKey(run);
  const { result, bytes } = await store.write(key, tensors);
  const s3 = store.reference(key);
  const limit = MAX_INLINE_RESULT_BYTES - Math.max(0, slices - TIMINGS_INCLUDED) * TIMING_BYTES;
  // Do not even encode results that are too large.
  if (inline === 'never' || elementsSize(tensors) > limit) return { outputs: { s3 }, bytesWritten: bytes };
  // If an earlier attempt wrote results to S3, return those.
  const stored = result === 'present' ? await readAll(key, store) : tensors;
  const encoded = inlineTensors(stored);
  const fits = Buffer.byteLength(JSON.stringify(encoded)) <= limit;
  return { outputs: { s3, ...(fits && { tensors: encoded }) }, bytesWritten: bytes };
}

async function readAll(key: string, store: SafetensorsStore): Promise<Map<string, RawTensor>> {
  const reader = await store.open(key);
  return reader.read([...reader.heads.keys()]);
}

function inlineTensors(tensors: ReadonlyMap<string, RawTensor>): Record<string, InlineTensor> {
  return Object.fromEntries([...tensors].map(([name, tensor]) => [name, encodeInlineTensor(tensor)]));
}

function elementsSize(tensors: ReadonlyMap<string, RawTensor>): number {
  return [...tensors.values()].reduce((size, tensor) => size + inlineBytes(tensor), 0);
}
