/** Writes a run's results: always to S3, and inline when small and asked for. */
import type { ExecutionOutputs, InlineMode, InlineTensor } from '../../contract/execution';
import { outputObjectKey } from '../../contract/keys';
import { encodeInlineTensor, inlineBytes } from '../request/inline-tensor';
import type { SafetensorsStore } from '../store/safetensors-store';
import type { RawTensor } from '../tensors/tensor';

/**
 * JSON of the results up to which they come inline. Step Functions carries 256 KiB between states, in which the timings of
 * all slices and what the caller's own states add must fit too; what does not fails the execution, and cannot be caught.
 * https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
 */
export const MAX_INLINE_BYTES = 180 * 1024;

/** What is left has room for the timings of so many slices, each of less than so many bytes. */
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
  const most = MAX_INLINE_BYTES - Math.max(0, slices - TIMINGS_INCLUDED) * TIMING_BYTES;
  // Large ones are not even encoded.
  if (inline === 'never' || elementsSize(tensors) > most) return { outputs: { s3 }, bytesWritten: bytes };
  // An earlier attempt's results stand in S3, so they are the ones to give.
  const standing = result === 'present' ? await readAll(key, store) : tensors;
  const encoded = inlineTensors(standing);
  const fits = Buffer.byteLength(JSON.stringify(encoded)) <= most;
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
