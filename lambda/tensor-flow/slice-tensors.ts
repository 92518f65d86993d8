/** Reads a slice's tensors before its session runs, and writes its outputs afterwards. */
import type { InlineMode } from '../../contract/execution';
import { outputObjectKey, sliceObjectKey } from '../../contract/keys';
import { REQUEST_ETAG } from '../../contract/safetensors-metadata';
import { IN_S3, type SliceEvent } from '../../contract/slice-event';
import type { SliceManifest, SourcedTensor } from '../../contract/slice-manifest';
import { sliceFailed } from '../errors';
import { parseExecutionInput, type ParsedInput, openRequest } from '../request/request';
import type { SafetensorsStore } from '../store/safetensors-store';
import type { Metadata } from '../tensors/safetensors';
import { type RawTensor } from '../tensors/tensor';
import { gatherTensors, type GatheredTensors } from './gather';
import { checkPlannedResults, type Receiver, writeResults } from './results';
import { encodeStateTensors } from './state-tensors';

type NamedTensors = ReadonlyMap<string, RawTensor>;

export interface Stores {
  readonly callers: SafetensorsStore;
  /** The function's memory size, which bounds what it can parse. */
  readonly memoryBytes: number;
  readonly runs: SafetensorsStore;
}

export function parseRequest(
  { request }: SliceEvent,
  manifest: SliceManifest,
  receiver: Receiver,
): ParsedInput | undefined {
  if (!readsRequest(manifest) && request === undefined) return undefined;
  const input = parseExecutionInput(request);
  checkPlannedResults(input.inline, manifest, receiver);
  return input;
}

/**
 * Reads the inputs of the slice's session and, for the last slice, the results that come from elsewhere. The first slice
 * checks the whole request before anything runs. Later slices check it again, and refuse another object than the one from
 * which the tensors of earlier slices were computed.
 */
export async function readTensors(
  event: SliceEvent,
  input: ParsedInput | undefined,
  manifest: SliceManifest,
  stores: Stores,
): Promise<GatheredTensors> {
  const sources = { run: event.run, store: stores.runs, inState: event.tensors };
  const needed = neededTensors(manifest);
  if (input === undefined || !readsRequest(manifest)) return gatherTensors(needed, sources);
  const request = openRequest(input, manifest, stores.callers, stores.memoryBytes);
  // The first slice checks the request even if it reads none of its tensors.
  if (!needed.some(isFromRequest)) await (await request).discard();
  return gatherTensors(needed, { ...sources, request });
}

function readsRequest(manifest: SliceManifest): boolean {
  return manifest.slice === 0 || neededTensors(manifest).some(isFromRequest);
}

export function neededTensors(manifest: SliceManifest): SourcedTensor[] {
  return [...manifest.inputs, ...resultsFromElsewhere(manifest)];
}

function isFromRequest({ source }: SourcedTensor): boolean {
  return source.from === 'request';
}

/**
 * Whether the slice is likely to write an object. Results that are wanted inline only are never written, and tensors for the state are
 * written only if they are larger than planned.
 */
export function expectsWrite(
  { maxTensors = 0 }: Pick<SliceEvent, 'maxTensors'>,
  { result }: SliceManifest,
  { inline, receiver }: Omit<WriteOptions, 'requestEtag'>,
): boolean {
  if (result === undefined) return maxTensors === 0;
  return inline === 'never' || (inline === 'auto' && receiver === 'state');
}

export function storeOfOutputs({ result }: SliceManifest, { callers, runs }: Stores): SafetensorsStore {
  return result === undefined ? runs : callers;
}

interface WriteOptions {
  readonly inline: InlineMode;
  readonly receiver: Receiver;
  readonly requestEtag?: string;
}

export async function writeTensors(
  { run, maxTensors }: Pick<SliceEvent, 'run' | 'maxTensors'>,
  manifest: SliceManifest,
  { read, computed }: { readonly read: NamedTensors; readonly computed: NamedTensors },
  { inline, receiver, requestEtag }: WriteOptions,
  stores: Stores,
) {
  if (manifest.result !== undefined) {
    const all = new Map([...read, ...computed]);
    const { outputs, bytesWritten } = await writeResults(
      outputObjectKey(run),
      pick(all, manifest.result),
      { inline, receiver, slices: manifest.slices },
      stores.callers,
    );
    return { ...(outputs.s3 && { object: outputs.s3 }), outputs, bytesWritten };
  }
  const metadata: Metadata = requestEtag === undefined ? {} : { [REQUEST_ETAG]: requestEtag };
  const tensors = maxTensors === undefined ? undefined : encodeStateTensors(computed, metadata, maxTensors);
  // If the state machine can carry tensors, it gets those of this slice, or that they are in S3.
  if (tensors !== undefined) return { tensors, bytesWritten: 0 };
  const key = sliceObjectKey(run, manifest.slice);
  const bytesWritten = await stores.runs.write(key, computed, metadata);
  const object = stores.runs.reference(key);
  return { object, ...(maxTensors !== undefined && { tensors: IN_S3 }), bytesWritten };
}

export function pick(tensors: NamedTensors, specs: readonly { readonly name: string }[]): NamedTensors {
  return new Map(
    specs.map(({ name }) => {
      const tensor = tensors.get(name);
      if (tensor !== undefined) return [name, tensor];
      throw sliceFailed(
        `the slice's manifest lists '${name}', which the slice neither reads nor computes: slice the model again`,
      );
    }),
  );
}

function resultsFromElsewhere({ slice, result = [] }: SliceManifest): SourcedTensor[] {
  return result.filter(({ source }) => source.from === 'request' || source.slice !== slice);
}
