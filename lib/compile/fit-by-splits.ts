/**
 * Cuts a model, and splits operators if no cut keeps the limit of the slicer without it, or if the plan becomes faster and latency is
 * minimized. The split graph is analyzed and cut again, until every slice fits or nothing is left to split.
 */
import { SlicedInferenceError, quoted } from '../errors';
import { largestOf } from '../extremes';
import { weightBytesOf } from '../dataflow/weights';
import { type NodeIndex, OMITTED, nodeLabel } from '../onnx/model';
import { bestCut } from '../plan/best-cut';
import { tablesOf } from '../plan/sizes/slice-tables';
import { attempt } from '../plan/choose/ranking';
import type { ConsolidationMode } from '../plan/pricing/price';
import type { SizeLimit } from '../plan/search/cut-graph';
import type { SliceSize } from '../plan/sizes/estimate';
import type { ChosenCut, Slicer } from '../plan/slicers/slicer';
import { SliceTooLargeError } from '../plan/slicers/too-large';
import type { Split } from '../split/split';
import { type Splittable, mostParts, splitInto, waysToSplit } from '../split/splittable';
import type { AnalyzedModel } from './analyze';
import type { Splitting } from './splitting';

export interface CutModel {
  /** The model that was cut: with more splits than the given one, perhaps. */
  readonly analyzed: AnalyzedModel;
  readonly cut: ChosenCut;
}

export function cutModel(
  given: AnalyzedModel,
  slicer: Slicer,
  consolidation: ConsolidationMode = 'never',
): CutModel {
  let analyzed = withSplitsOf(given, slicer);
  for (;;) {
    const { dataflow, cuts } = analyzed;
    const cut = attempt(() => bestCut(dataflow, cuts, slicer, consolidation));
    if (!(cut instanceof SlicedInferenceError))
      return fasterBySplits(fewerBySplits({ analyzed, cut }, slicer, consolidation), slicer, consolidation);
    if (!(cut instanceof SliceTooLargeError) || slicer.splits !== undefined) throw cut;
    const splits = moreSplits(analyzed, cut);
    if (splits === undefined) throw withReason(analyzed, cut);
    analyzed = analyzed.withSplits(splits);
  }
}

/** A weight that so many slices hold fits into no slice together with what lies between its uses. */
const MANY_SLICES = 4;

/**
 * The plan with shared weights in two parts, if slices hold these again and again, as between the steps of an unrolled recurrent network, and if
 * it has fewer slices: equal parts of all steps then lie side by side.
 */
function fewerBySplits(found: CutModel, slicer: Slicer, consolidation: ConsolidationMode): CutModel {
  const { analyzed, cut } = found;
  const { splitting, dataflow } = analyzed;
  if (slicer.splits !== undefined || (slicer.goal?.minimize ?? 'slices') !== 'slices') return found;
  const { values, nodes } = dataflow.model.graph;
  const slicesOf = new Map<string, Set<number>>();
  cut.groups.forEach((group, slice) => {
    for (const value of group.flatMap((node) => dataflow.needs[node])) {
      const { name } = values[value];
      slicesOf.set(name, (slicesOf.get(name) ?? new Set()).add(slice));
    }
  });
  const isSpread = (name: string): boolean => (slicesOf.get(name)?.size ?? 0) >= MANY_SLICES;
  const splits = nodes.flatMap(({ index, inputs }) => {
    if (!inputs.some((input) => input !== OMITTED && isSpread(values[input].name))) return [];
    const { ways = '', parts = 1, mayBeSplit = false } = operatorOf(splitting, index) ?? {};
    if (typeof ways === 'string' || parts > 1 || !mayBeSplit || mostParts(ways[0], 1) === 1) return [];
    return isSpread(ways[0].weight) ? splitInto(ways[0], 2) : [];
  });
  if (splits.length === 0) return found;
  const next = analyzed.withSplits([...splitting.splits, ...splits]);
  const fewer = attempt(() => bestCut(next.dataflow, next.cuts, slicer, consolidation));
  if (fewer instanceof SlicedInferenceError || fewer.groups.length >= cut.groups.length) return found;
  return { analyzed: next, cut: fewer };
}

/** Smaller weights load within the burst of a function's network, so that a fork cannot save more than it takes. */
const HEAVY_BYTES = 300 * 2 ** 20;

/** Operators that are tried at most, the heaviest first: each takes some searches. */
const MOST_TRIED = 3;
const TRIED_PARTS = [2, 4, 8];

/** By this share, a plan with one more split must be faster. */
const LEAST_GAIN = 0.03;

/**
 * The plan with heavy operators in parts, if latency is minimized and the model of cost says that they save time. They do in cold runs,
 * in which loading takes the longest; warm runs only lose by the fork and the join.
 */
function fasterBySplits(found: CutModel, slicer: Slicer, consolidation: ConsolidationMode): CutModel {
  const { goal } = slicer;
  if (goal?.minimize !== 'latency') return found;
  const timeOf = ({ cut }: CutModel): number => cut.settings?.cost.latency[goal.quantile] ?? Infinity;
  let best = found;
  for (const ways of heaviest(found.analyzed)) {
    const most = mostParts(ways[0], 1);
    for (const parts of TRIED_PARTS.filter((count) => count <= most)) {
      const { node } = ways[0];
      const others = best.analyzed.splitting.splits.filter((split) => split.node !== node.index);
      const analyzed = found.analyzed.withSplits([...others, splitInto(ways[0], parts)]);
      const cut = attempt(() => bestCut(analyzed.dataflow, analyzed.cuts, slicer, consolidation));
      if (cut instanceof SlicedInferenceError) continue;
      const next = { analyzed, cut };
      if (timeOf(next) < (1 - LEAST_GAIN) * timeOf(best)) best = next;
    }
  }
  return best;
}

/** The ways to split the operators with the heaviest weights. */
function heaviest({ splitting, cuts, dataflow }: AnalyzedModel): (readonly Splittable[])[] {
  const { weights } = tablesOf(cuts);
  const heavy = dataflow.order.flatMap((node) => {
    const bytes = weightBytesOf(weights, node);
    const found = bytes < HEAVY_BYTES ? undefined : operatorOf(splitting, node);
    if (found === undefined || typeof found.ways === 'string' || !found.mayBeSplit) return [];
    return [{ ways: found.ways, bytes }];
  });
  heavy.sort((a, b) => b.bytes - a.bytes);
  return heavy.slice(0, MOST_TRIED).map(({ ways }) => ways);
}

/** The operator that a node is, or is a part of, and how it can be split. */
function operatorOf(splitting: Splitting, node: NodeIndex) {
  const { origins, subject, splits } = splitting;
  const origin = origins[node];
  if (origin === undefined) return undefined;
  const operator = subject.model.graph.nodes[origin];
  const parts = splits.find((split) => split.node === origin)?.parts.length ?? 1;
  return { operator, ways: waysToSplit(subject, operator), parts, mayBeSplit: splitting.mayBeSplit(origin) };
}

function withSplitsOf(given: AnalyzedModel, { splits }: Slicer): AnalyzedModel {
  const named = given.splitting.splits;
  if (splits === undefined) return given;
  if (named.length > 0)
    throw new SlicedInferenceError(
      'a plan must have its own splits',
      `a split of ${quoted(named[0].name)}`,
      'leave it out',
    );
  return splits.length === 0 ? given : given.withSplits(splits);
}

/** The splits with others, or with more parts; `undefined` if none would help. Parts of nodes that no cut separates would stay together. */
function moreSplits({ splitting }: AnalyzedModel, error: SliceTooLargeError): readonly Split[] | undefined {
  const splits = new Map<NodeIndex, Split>(splitting.splits.map((split) => [split.node, split]));
  const changes = error
    .others((node) => {
      const origin = splitting.origins[node];
      return origin !== undefined && splitting.mayBeSplit(origin);
    })
    .flatMap(({ nodes: [node], size }) => {
      const found = operatorOf(splitting, node);
      if (found === undefined || typeof found.ways === 'string') return [];
      return next(found.ways, found.parts, size, error.limit) ?? [];
    });
  for (const split of changes) splits.set(split.node, split);
  return changes.length > 0 ? [...splits.values()] : undefined;
}

/** The fewest parts with which the node fits; `undefined` if no number of parts is enough. */
function next(
  ways: readonly Splittable[],
  parts: number,
  size: SliceSize,
  limit: SizeLimit,
): Split | undefined {
  const partBytes = ways[0].weightBytes / parts;
  const fits = (count: number): boolean => {
    const weightBytes = size.weightBytes - partBytes * (1 - parts / count);
    return limit.fits({ ...size, weightBytes, mappedBytes: Math.min(size.mappedBytes, weightBytes) });
  };
  for (const way of ways) {
    const most = mostParts(way, 1);
    for (let count = parts + 1; count <= most; count++) if (fits(count)) return splitInto(way, count);
  }
  return undefined;
}

/** Says of the node with the largest weight why it is not split further, and which limit its smallest parts would keep. */
function withReason(analyzed: AnalyzedModel, error: SliceTooLargeError): SlicedInferenceError {
  const { splitting, cuts } = analyzed;
  const { nodes, size } = error.oversized;
  const { weights } = tablesOf(cuts);
  const bytesOf = (node: NodeIndex): number => weightBytesOf(weights, node);
  const heaviest = nodes.reduce((a, b) => (bytesOf(b) > bytesOf(a) ? b : a));
  const found = operatorOf(splitting, heaviest);
  if (found === undefined || bytesOf(heaviest) === 0) return error;
  const { operator, ways, parts, mayBeSplit } = found;
  const what = nodes.length === 1 ? ', which' : `; the largest is ${nodeLabel(operator)}, which`;
  if (typeof ways === 'string') return error.with(`${what} ${ways}`, '');
  const name = quoted(operator.name === '' ? ways[0].weight : operator.name);
  if (!mayBeSplit) return error.with(`${what} may not be split`, `, or allow to split ${name}`);
  const most = largestOf(ways.map((way) => mostParts(way, 1)));
  if (most === parts) return error.with(`${what} cannot have more parts with the same bits`, '');
  if (nodes.length > 1) return error.with(`${what} does not fit in more parts either`, '');
  const smallest = inMostParts(splitting, heaviest, size);
  // Other operators may be too large as well, and the limit that is named should let all of them fit.
  const largest = error
    .others(() => true)
    .map(({ nodes: [node], size: own }) => inMostParts(splitting, node, own))
    .reduce((a, b) => (b.weightBytes > a.weightBytes ? b : a), smallest);
  const { got } = error.limit.describe(smallest);
  return error.with(`${what} has ${got} in ${most} parts, and more would have other bits`, '', largest);
}

/** The size of a slice with the largest of a node's parts, if it is in as many as keep its bits. */
function inMostParts(splitting: Splitting, node: NodeIndex, size: SliceSize): SliceSize {
  const found = operatorOf(splitting, node);
  if (found === undefined || typeof found.ways === 'string' || !found.mayBeSplit) return size;
  const { ways, parts } = found;
  const sizes = ways.map((way) => {
    const largest = largestOf(splitInto(way, mostParts(way, 1)).parts) / way.length;
    return Math.ceil(size.weightBytes - way.weightBytes / parts + way.weightBytes * largest);
  });
  const weightBytes = Math.min(size.weightBytes, ...sizes);
  return { ...size, weightBytes, mappedBytes: Math.min(size.mappedBytes, weightBytes) };
}
