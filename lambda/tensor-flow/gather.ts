/** Reads the tensors that a slice needs from the request and from earlier slices, all sources in parallel. */
import { sliceObjectKey } from '../../contract/keys';
import { IN_S3, type StateTensors } from '../../contract/slice-event';
import type { SourcedTensor } from '../../contract/slice-manifest';
import { invalidInput, messageOf, NamedFailure, sliceFailed } from '../errors';
import { allDone } from '../store/ranged-read';
import type { SafetensorsStore } from '../store/safetensors-store';
import type { TensorReader } from '../store/stored-tensors';
import { describeTensor, tensorNamed, type RawTensor, type TensorHead } from '../tensors/tensor';
import { openStateTensors } from './state-tensors';

interface Sources {
  readonly run: string;
  readonly store: SafetensorsStore;
  readonly inState?: Readonly<Record<string, StateTensors>> | undefined;
  /** The request while it opens, so that the other sources do not wait for it. */
  readonly request?: Promise<TensorReader> | undefined;
}

export interface GatheredTensors {
  /** By name. Names are unique in a model, so the sources' tensors cannot collide. */
  readonly tensors: ReadonlyMap<string, RawTensor>;
  readonly requestEtag?: string;
}

/** Comes before all slices. */
const REQUEST = -1;

export async function gatherTensors(
  needed: readonly SourcedTensor[],
  sources: Sources,
): Promise<GatheredTensors> {
  // If several sources fail, the first one counts: a request that does not fit fails the run as such.
  const inOrder = [...bySource(needed)].sort(([a = REQUEST], [b = REQUEST]) => a - b);
  const read = inOrder.map(([slice, tensors]) =>
    slice === undefined ? fromRequest(tensors, sources.request) : fromSlice(slice, tensors, sources),
  );
  const gathered = await allDone(read);
  const etags = [await sources.request, ...gathered].flatMap((source) => source?.requestEtag ?? []);
  return {
    tensors: new Map(gathered.flatMap(({ tensors }) => [...tensors])),
    ...onlyEtag(etags),
  };
}

/** A caller can replace the request while the run is in progress, and slices read it at different times. */
function onlyEtag(etags: readonly string[]): { requestEtag?: string } {
  const etag = etags.at(0);
  if (etag === undefined) return {};
  if (etags.every((other) => other === etag)) return { requestEtag: etag };
  throw invalidInput("the request's object was replaced during the run: write each request to a new key");
}

/** Groups tensors by the slice that computes them; the key is `undefined` for tensors of the request. */
function bySource(needed: readonly SourcedTensor[]): Map<number | undefined, SourcedTensor[]> {
  const groups = new Map<number | undefined, SourcedTensor[]>();
  for (const tensor of needed) {
    const slice = tensor.source.from === 'slice' ? tensor.source.slice : undefined;
    groups.set(slice, [...(groups.get(slice) ?? []), tensor]);
  }
  return groups;
}

async function fromRequest(
  tensors: readonly SourcedTensor[],
  request: Promise<TensorReader> | undefined,
): Promise<GatheredTensors> {
  if (request === undefined)
    throw sliceFailed('the event has no request, but this slice reads inputs: deploy the stack again');
  const reader = await request;
  return { tensors: await reader.read(tensors.map(({ name }) => name)) };
}

async function fromSlice(
  slice: number,
  tensors: readonly SourcedTensor[],
  { run, store, inState = {} }: Sources,
): Promise<GatheredTensors> {
  const text = Object.hasOwn(inState, slice) ? inState[slice] : IN_S3;
  const key = sliceObjectKey(run, slice);
  const place = text === IN_S3 ? key : 'the event';
  try {
    const reader = text === IN_S3 ? await store.open(key) : openStateTensors(slice, text);
    await checkAll(tensors, reader);
    const { requestEtag } = reader;
    return {
      tensors: await reader.read(tensors.map(({ name }) => name)),
      ...(requestEtag !== undefined && { requestEtag }),
    };
  } catch (error) {
    if (error instanceof NamedFailure) throw error;
    throw sliceFailed(
      `cannot read the tensors of slice ${slice} from ${place}: ${messageOf(error)}`,
      {},
      error,
    );
  }
}

async function checkAll(tensors: readonly SourcedTensor[], reader: TensorReader): Promise<void> {
  try {
    for (const spec of tensors) checkDtype(spec, tensorNamed(reader.heads, spec.name));
  } catch (error) {
    await reader.discard();
    throw error;
  }
}

/** Checks only the element type: a model may declare shapes that its values do not have. */
function checkDtype(spec: SourcedTensor, sent: TensorHead): void {
  if (sent.dtype === spec.dtype) return;
  throw new Error(`tensor '${spec.name}' must be ${describeTensor(spec)}, got ${describeTensor(sent)}`);
}
