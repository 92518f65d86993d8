/** Writes a run's results: always to S3, and inline when small and asked for. */
import { outputObjectKey, type ExecutionOutputs, type InlineMode, type InlineTensor } from './contract';
import { encodeInlineTensor, inlineBytes } from './tensors/inline-tensor';
import type { RawTensor } from './tensors/tensor';
import type { TensorStore } from './store/tensor-store';

/**
 * Encoded size up to which results come inline. Step Functions carries 256 KiB between states, in which the
 * timings, the tensors' names and shapes and what the caller's own states add must fit too.
 * https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
 */
export const MAX_INLINE_BYTES = 180 * 1024;

/** What one tensor's fields cost beside its elements: quotes, its dtype, brackets; sizes count up to 20 digits. */
const FIELD_BYTES = 64;
const SIZE_BYTES = 21;

export async function writeResults(
  run: string,
  tensors: ReadonlyMap<string, RawTensor>,
  inline: InlineMode,
  store: TensorStore,
): Promise<{ outputs: ExecutionOutputs; bytesWritten: number }> {
  const key = outputObjectKey(run);
  const { result, bytes } = await store.write(key, tensors);
  const s3 = store.reference(key);
  if (inline === 'never' || inlineSize(tensors) > MAX_INLINE_BYTES) {
    return { outputs: { s3 }, bytesWritten: bytes };
  }
  // An earlier attempt's results stand in S3, so they are the ones to give.
  const standing = result === 'present' ? await readAll(key, store) : tensors;
  return { outputs: { s3, tensors: inlineTensors(standing) }, bytesWritten: bytes };
}

async function readAll(key: string, store: TensorStore): Promise<Map<string, RawTensor>> {
  const reader = await store.open(key);
  return reader.read([...reader.heads.keys()]);
}

function inlineTensors(tensors: ReadonlyMap<string, RawTensor>): Record<string, InlineTensor> {
  return Object.fromEntries([...tensors].map(([name, tensor]) => [name, encodeInlineTensor(tensor)]));
}

function inlineSize(tensors: ReadonlyMap<string, RawTensor>): number {
  let size = 0;
  for (const [name, tensor] of tensors) {
    const fields = Buffer.byteLength(name) + FIELD_BYTES + tensor.shape.length * SIZE_BYTES;
    size += fields + inlineBytes(tensor);
  }
  return size;
}
