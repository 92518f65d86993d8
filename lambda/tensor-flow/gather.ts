/** Collects the tensors that a slice needs from elsewhere: one object opened per source, all in parallel. */
import { sliceObjectKey } from '../../contract/keys';
import type { SourcedTensor } from '../../contract/slice-manifest';
import { messageOf, sliceFailed } from '../errors';
import { allDone } from '../store/all-done';
import type { SafetensorsStore } from '../store/safetensors-store';
import type { TensorReader } from '../store/tensor-reader';
import { widened } from '../tensors/half-precision';
import { describeTensor, type RawTensor, type TensorHead } from '../tensors/tensor';

interface Sources {
  readonly run: string;
  readonly store: SafetensorsStore;
  readonly request?: TensorReader | undefined;
}

/** The needed tensors by name; names are unique in a model, so a source's need not be told from another's. */
export async function gatherTensors(
  needed: readonly SourcedTensor[],
  sources: Sources,
): Promise<Map<string, RawTensor>> {
  const read = [...bySource(needed)].map(([slice, tensors]) =>
    slice === undefined ? fromRequest(tensors, sources.request) : fromSlice(slice, tensors, sources),
  );
  return new Map((await allDone(read)).flatMap((tensors) => [...tensors]));
}

/** By producing slice; `undefined` stands for the request. */
function bySource(needed: readonly SourcedTensor[]): Map<number | undefined, SourcedTensor[]> {
  const groups = new Map<number | undefined, SourcedTensor[]>();
  for (const tensor of needed) {
    const slice = tensor.source.from === 'slice' ? tensor.source.slice : undefined;
    groups.set(slice, [...(groups.get(slice) ?? []), tensor]);
  }
  return groups;
}

function fromRequest(tensors: readonly SourcedTensor[], request: TensorReader | undefined) {
  if (request === undefined) throw sliceFailed('the task sent no request to a slice that reads inputs');
  return request.read(tensors.map(({ name }) => name));
}

async function fromSlice(slice: number, tensors: readonly SourcedTensor[], { run, store }: Sources) {
  const key = sliceObjectKey(run, slice);
  try {
    const reader = await store.open(key);
    await checkAll(tensors, reader);
    const sent = await reader.read(tensors.map(({ name }) => name));
    return new Map([...sent].map(([name, tensor]) => [name, tensorOf(named(tensors, name), tensor)]));
  } catch (error) {
    throw sliceFailed(`cannot read what slice ${slice} made from ${key}: ${messageOf(error)}`);
  }
}

async function checkAll(tensors: readonly SourcedTensor[], reader: TensorReader): Promise<void> {
  try {
    for (const tensor of tensors) checkMade(tensor, reader);
  } catch (error) {
    await reader.discard();
    throw error;
  }
}

/** Sent at half precision: see `slice-tensors.ts`. */
function isHalved({ dtype }: SourcedTensor, sent: TensorHead): boolean {
  return dtype === 'float32' && sent.dtype === 'float16';
}

function tensorOf(spec: SourcedTensor, sent: RawTensor): RawTensor {
  return sent.dtype !== 'string' && isHalved(spec, sent) ? widened(sent) : sent;
}

function named(tensors: readonly SourcedTensor[], name: string): SourcedTensor {
  const found = tensors.find((tensor) => tensor.name === name);
  if (found === undefined) throw new Error(`it gave '${name}', which was not asked for`);
  return found;
}

/** The element type alone: a model may declare shapes that its values do not have. */
function checkMade(tensor: SourcedTensor, reader: TensorReader): void {
  const made = reader.heads.get(tensor.name);
  if (made === undefined) throw new Error(`it has no tensor '${tensor.name}'`);
  if (made.dtype !== tensor.dtype && !isHalved(tensor, made)) {
    throw new Error(
      `tensor '${tensor.name}' should be ${describeTensor(tensor)}, it is ${describeTensor(made)}`,
    );
  }
}
