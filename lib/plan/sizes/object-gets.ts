/** Counts the GETs by which slices read their tensors: an object holds the tensors that one slice writes, or the request. */
import { type ByteRange, countGets } from '../../../contract/object-reads';
import { sumOf } from '../../extremes';
import type { Graph, ValueIndex } from '../../onnx/model';
import { type Wiring, readsOf } from '../wiring/wiring';
import { type SliceSize, FILE_HEADER_BYTES, headerBytes } from './estimate';

export type SliceGets = Pick<SliceSize, 'gets' | 'requestGets'>;

/** By value. */
interface TensorSizes {
  readonly bytes: readonly number[];
  /** Bytes of an element; 0 for strings, which an object has in its header. */
  readonly elementBytes: readonly number[];
}

/** By slice. The request is believed to have the tensors in the order of the model's inputs. */
export function sliceGets(graph: Graph, wiring: Wiring, sizes: TensorSizes): SliceGets[] {
  const inputs = graph.inputs.map(({ value }) => value);
  const request = inputs.filter((value) => graph.values[value].initializer === undefined);
  return wiring.slices.map((_, slice) => {
    const needed = new Set(readsOf(wiring, slice).map(({ value }) => value));
    const getsOf = (written: readonly ValueIndex[]) => getsWithin(graph, written, needed, sizes);
    return {
      gets: sumOf(wiring.slices.slice(0, slice).map(({ outputs }) => getsOf(outputs))),
      // The first slice checks the request even if it needs no tensor of it.
      requestGets: Math.max(slice === 0 ? 1 : 0, getsOf(request)),
    };
  });
}

/** @param written in the order of `layoutSafetensors` but for the sizes of elements */
function getsWithin(
  { values }: Graph,
  written: readonly ValueIndex[],
  needed: ReadonlySet<ValueIndex>,
  { bytes, elementBytes }: TensorSizes,
): number {
  const ofHeader = (value: ValueIndex) =>
    headerBytes(values[value].name) + (elementBytes[value] === 0 ? bytes[value] : 0);
  const header = FILE_HEADER_BYTES + sumOf(written.map(ofHeader));
  const places: ByteRange[] = [];
  let end = header;
  for (const value of [...written].sort((a, b) => elementBytes[b] - elementBytes[a])) {
    const start = end;
    if (elementBytes[value] > 0) end += bytes[value];
    if (needed.has(value)) places.push({ start, end });
  }
  return places.length === 0 ? 0 : countGets(places, header);
}

/** The GETs for tensors that are neighbors in one object, without others before them. */
export function neighborGets(bytes: number, headers: number): number {
  const start = FILE_HEADER_BYTES + headers;
  return countGets([{ start, end: start + bytes }], start);
}
