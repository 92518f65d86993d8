/** Says which slices of a fixed number do nearly nothing, and which layer prevents even slices. */
import { largestOf, sumOf } from '../extremes';
import { nodeLabel } from '../onnx/model';
import type { ChosenCut } from '../plan/slicers/slicer';
import { type CutSpace, findCuts } from '../plan/cuts/cuts';
import { MOST_BYTES_FACTOR } from '../plan/search/even-path';
import { type SliceSize, busyMs, isNearEmpty, memoryMb } from '../plan/sizes/estimate';
import { type Range, sizeOfRange } from '../plan/cuts/range-sizes';

/** Slices are uneven if the largest one has this many times an equal share of the time or of the memory. */
const UNEVEN = 1.5;

const NAMED = 3;

/** One clause each, without a full stop. */
export interface EvenNotes {
  /** Present if slices do nearly nothing. */
  readonly nearEmpty?: string;
  /** Present if slices are uneven: what prevents more even ones. */
  readonly inTheWay?: string;
}

/** Nothing is said of slices whose number the user did not set. */
export function evenNotes(cuts: CutSpace, cut: ChosenCut, sizes: readonly SliceSize[]): EvenNotes {
  if (cut.evenness === undefined) return {};
  const [work, weights] = [sharesOf(sizes, 'coreSeconds'), sharesOf(sizes, 'weightBytes')];
  const empty = work.flatMap((share, slice) => {
    if (!isNearEmpty(share, 1, sizes.length)) return [];
    const held = weights[slice] * sizes.length > 1 ? `, with ${percent(weights[slice])} of the weights` : '';
    return [`slice ${slice} does ${percent(share)} of the work${held}`];
  });
  const inTheWay = obstacles(cuts, cut, sizes);
  return {
    ...(empty.length > 0 && { nearEmpty: listed(empty) }),
    ...(inTheWay.length > 0 && { inTheWay: inTheWay.join('; ') }),
  };
}

function sharesOf(sizes: readonly SliceSize[], field: 'coreSeconds' | 'weightBytes'): number[] {
  const total = sumOf(sizes.map((size) => size[field]));
  return sizes.map((size) => (total > 0 ? size[field] / total : 0));
}

function obstacles(cuts: CutSpace, { dataflow, groups }: ChosenCut, sizes: readonly SliceSize[]): string[] {
  const space = findCuts({ ...dataflow, order: groups.flat() }, cuts.rule, cuts.bytes, cuts.costs);
  const ends = groups.map((_, slice) => sumOf(groups.slice(0, slice + 1).map((nodes) => nodes.length)));
  const rangeOf = (slice: number): Range => ({ start: slice === 0 ? 0 : ends[slice - 1], end: ends[slice] });
  const model = cuts.costs.model();
  const ms = sizes.map((size) => busyMs(size, model));
  const memory = sizes.map(memoryMb);
  return [
    ...(isUneven(ms) ? [ofTime(space, rangeOf(largestIn(ms)), ms)] : []),
    ...(isUneven(memory) ? ofMemory(space, rangeOf(largestIn(memory)), largestOf(memory)) : []),
  ];
}

function ofTime(space: CutSpace, slice: Range, ms: readonly number[]): string {
  const total = sumOf(ms);
  const model = space.costs.model();
  const parts = sizedParts(space, slice);
  const own = parts.map(({ size }) => busyMs(size, model));
  const { range } = parts[largestIn(own)];
  const ofTotal = (part: number): string => `${percent(part / total)} of the time to load and to compute`;
  return parts.length === 1 || largestOf(own) * ms.length > total
    ? `${labelOf(space, range)} cannot be divided and take${isOne(range) ? 's' : ''} ${ofTotal(largestOf(own))}`
    : `${labelOf(space, slice)} take ${ofTotal(largestOf(ms))}, and more even slices would need more than ${MOST_BYTES_FACTOR} times the bytes of the cheapest ones that share the work, or a larger function`;
}

function ofMemory(space: CutSpace, slice: Range, largestMb: number): string[] {
  const parts = sizedParts(space, slice);
  const needs = parts.map(({ size }) => memoryMb(size));
  const { range } = parts[largestIn(needs)];
  if (largestOf(needs) * UNEVEN < largestMb) return [];
  return [
    `${labelOf(space, range)} alone need${isOne(range) ? 's' : ''} a function of ${largestOf(needs).toLocaleString('en-US')} MB`,
  ];
}

function sizedParts(
  space: CutSpace,
  { start, end }: Range,
): { readonly range: Range; readonly size: SliceSize }[] {
  const places = [start, ...space.legal.filter((cut) => cut > start && cut < end), end];
  return places.slice(0, -1).map((from, index) => {
    const range = { start: from, end: places[index + 1] };
    return { range, size: sizeOfRange(space, range.start, range.end) };
  });
}

function labelOf({ dataflow: { order, model } }: CutSpace, range: Range): string {
  const first = nodeLabel(model.graph.nodes[order[range.start]]);
  return isOne(range) ? first : `the ${range.end - range.start} nodes from ${first} on`;
}

function isOne({ start, end }: Range): boolean {
  return end - start === 1;
}

function isUneven(amounts: readonly number[]): boolean {
  return largestOf(amounts) * amounts.length > UNEVEN * sumOf(amounts);
}

function largestIn(amounts: readonly number[]): number {
  return amounts.indexOf(largestOf(amounts));
}

function percent(share: number): string {
  return `${(100 * share).toLocaleString('en-US', { maximumSignificantDigits: 2 })} %`;
}

function listed(clauses: readonly string[]): string {
  const more = clauses.length - NAMED;
  return more > 0
    ? `${clauses.slice(0, NAMED).join(', ')}, and ${more} more do as little`
    : clauses.join(', ');
}
