/** What a slice reads before its session runs and writes after it. */
import type { ExecutionOutputs, InlineMode, ObjectReference } from '../../contract/execution';
import { sliceObjectKey } from '../../contract/keys';
import type { SliceEvent } from '../../contract/slice-event';
import type { SliceManifest, SourcedTensor } from '../../contract/slice-manifest';
import { sliceFailed } from '../errors';
import { parseExecutionInput } from '../request/execution-input';
import { openRequest } from '../request/request';
import type { SafetensorsStore } from '../store/safetensors-store';
import { halved } from '../tensors/half-precision';
import type { RawTensor } from '../tensors/tensor';
import { gatherTensors } from './gather';
import { writeResults } from './results';

type NamedTensors = ReadonlyMap<string, RawTensor>;

/** Where tensors are: those of callers, and those between slices. */
export interface Stores {
  readonly callers: SafetensorsStore;
  readonly runs: SafetensorsStore;
}

interface ReadTensors {
  readonly tensors: NamedTensors;
  /** Whether the caller wants results inline. */
  readonly inline: InlineMode;
}

interface WrittenTensors {
  readonly object: ObjectReference;
  readonly outputs?: ExecutionOutputs;
  readonly bytesWritten: number;
}

/**
 * Reads what the slice is fed, and what the last slice gathers. The first slice checks the whole request before
 * anything runs; later ones check it again, because an object in S3 may have been replaced in between.
 */
export async function readTensors(
  event: SliceEvent,
  manifest: SliceManifest,
  stores: Stores,
): Promise<ReadTensors> {
  const sources = { run: event.run, store: stores.runs };
  const needed = [...manifest.inputs, ...gathered(manifest)];
  const readsRequest = manifest.slice === 0 || needed.some(({ source }) => source.from === 'request');
  if (!readsRequest && event.request === undefined) {
    return { tensors: await gatherTensors(needed, sources), inline: 'auto' };
  }
  const input = parseExecutionInput(event.request);
  const request = readsRequest ? await openRequest(input, manifest, stores.callers) : undefined;
  // The first slice checks a request that it may need nothing of.
  if (!needed.some(({ source }) => source.from === 'request')) await request?.discard();
  const tensors = await gatherTensors(needed, { ...sources, request });
  return { tensors, inline: input.inline };
}

interface WriteOptions {
  /** Whether results come inline too. */
  readonly inline: InlineMode;
  /** Whether float32 tensors for other slices are sent as float16. */
  readonly sendsFloat16: boolean;
}

/** Writes what the slice made; the last slice writes the run's results instead. */
export async function writeTensors(
  run: string,
  manifest: SliceManifest,
  { read, made }: { readonly read: NamedTensors; readonly made: NamedTensors },
  { inline, sendsFloat16 }: WriteOptions,
  stores: Stores,
): Promise<WrittenTensors> {
  if (manifest.result !== undefined) {
    const all = new Map([...read, ...made]);
    const { outputs, bytesWritten } = await writeResults(
      run,
      pick(all, manifest.result),
      { inline, slices: manifest.slices },
      stores.callers,
    );
    return { object: outputs.s3, outputs, bytesWritten };
  }
  const key = sliceObjectKey(run, manifest.slice);
  const { bytes } = await stores.runs.write(key, sendsFloat16 ? atHalfPrecision(made) : made);
  return { object: stores.runs.reference(key), bytesWritten: bytes };
}

/** A tensor with a value that float16 has no room for is sent as it is; who reads it sees which. */
function atHalfPrecision(tensors: NamedTensors): NamedTensors {
  return new Map(
    [...tensors].map(([name, tensor]) => [
      name,
      tensor.dtype === 'float32' ? (halved(tensor) ?? tensor) : tensor,
    ]),
  );
}

/** The tensors of the given specs, in their order. */
export function pick(tensors: NamedTensors, specs: readonly { readonly name: string }[]): NamedTensors {
  return new Map(specs.map(({ name }) => [name, named(tensors, name)]));
}

/** Results of the whole model that this slice does not make itself. */
function gathered({ slice, result = [] }: SliceManifest): SourcedTensor[] {
  return result.filter(({ source }) => source.from === 'request' || source.slice !== slice);
}

function named(tensors: NamedTensors, name: string): RawTensor {
  const tensor = tensors.get(name);
  if (tensor === undefined)
    throw sliceFailed(`the slice's manifest lists '${name}', which it neither reads nor makes`);
  return tensor;
}
