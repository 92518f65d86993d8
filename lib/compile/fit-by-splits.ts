/**
 * Cuts a model, and splits operators if no cut keeps the limit of the slicer without it. The split graph is analyzed and cut again, until
 * every slice fits or nothing is left to split.
 */
import { SlicedInferenceError, quoted } from '../errors';
import { weightBytesOf } from '../dataflow/weights';
import { type NodeIndex, nodeLabel } from '../onnx/model';
import { bestCut } from '../plan/best-cut';
import { tablesOf } from '../plan/cuts/range-sizes';
import { attempt } from '../plan/choose/ranking';
import type { ConsolidationMode } from '../plan/pricing/price';
import type { SizeLimit } from '../plan/search/cut-graph';
import type { SliceSize } from '../plan/sizes/estimate';
import type { ChosenCut, Slicer } from '../plan/slicers/slicer';
import { type Oversized, SliceTooLargeError } from '../plan/slicers/too-large';
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
    if (!(cut instanceof SlicedInferenceError)) return { analyzed, cut };
    if (!(cut instanceof SliceTooLargeError) || slicer.splits !== undefined) throw cut;
    const splits = moreSplits(analyzed, cut);
    if (splits === undefined) throw withReason(analyzed, cut);
    analyzed = analyzed.withSplits(splits);
  }
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

/** The splits with others, or with more parts; `undefined` if nothing is left to split. */
function moreSplits({ splitting }: AnalyzedModel, error: SliceTooLargeError): readonly Split[] | undefined {
  const splits = new Map<NodeIndex, Split>(splitting.splits.map((split) => [split.node, split]));
  const alone = error.others((node) => mayBeSplit(splitting, node));
  const changes = (alone.length > 0 ? alone : [error.oversized]).flatMap((oversized) => {
    const found = largestOf(splitting, splits, oversized);
    return found === undefined ? [] : next(found, oversized.size, error.limit);
  });
  for (const split of changes) splits.set(split.node, split);
  return changes.length > 0 ? [...splits.values()] : undefined;
}

function mayBeSplit(splitting: Splitting, node: NodeIndex): boolean {
  const origin = splitting.origins[node];
  return origin !== undefined && splitting.mayBeSplit(origin);
}

interface Candidate {
  readonly ways: readonly Splittable[];
  readonly partBytes: number;
  /** How many parts it has now. */
  readonly parts: number;
}

type Splits = ReadonlyMap<NodeIndex, Split>;

/** The operator with the largest weight, or with the largest part of one, of those that may be split further. */
function largestOf(splitting: Splitting, splits: Splits, { nodes }: Oversized): Candidate | undefined {
  let largest: Candidate | undefined;
  for (const node of nodes) {
    const origin = splitting.origins[node];
    if (origin === undefined || !splitting.mayBeSplit(origin)) continue;
    const ways = waysToSplit(splitting.subject, splitting.subject.model.graph.nodes[origin]);
    if (typeof ways === 'string') continue;
    const parts = splits.get(origin)?.parts.length ?? 1;
    const partBytes = ways[0].weightBytes / parts;
    if (ways.some((way) => mostParts(way, 1) > parts) && partBytes > (largest?.partBytes ?? 0))
      largest = { ways, partBytes, parts };
  }
  return largest;
}

/** The fewest parts with which the nodes seem to fit; if none seems to be enough, twice as many as now. */
function next({ ways, partBytes, parts }: Candidate, size: SliceSize, limit: SizeLimit): Split {
  const fits = (count: number): boolean => {
    const weightBytes = size.weightBytes - partBytes * (1 - parts / count);
    return limit.fits({ ...size, weightBytes, mappedBytes: Math.min(size.mappedBytes, weightBytes) });
  };
  for (const way of ways) {
    const most = mostParts(way, 1);
    for (let count = parts + 1; count <= most; count++) if (fits(count)) return splitInto(way, count);
  }
  const [way] = [...ways].sort((a, b) => mostParts(b, 1) - mostParts(a, 1));
  return splitInto(way, Math.min(mostParts(way, 1), 2 * parts));
}

/** Says of the node with the largest weight why it is not split further. */
function withReason({ splitting, cuts }: AnalyzedModel, error: SliceTooLargeError): SlicedInferenceError {
  const { nodes } = error.oversized;
  const { weights } = tablesOf(cuts);
  const bytesOf = (node: NodeIndex): number => weightBytesOf(weights, node);
  const heaviest = nodes.reduce((a, b) => (bytesOf(b) > bytesOf(a) ? b : a));
  const origin = splitting.origins[heaviest];
  if (origin === undefined || bytesOf(heaviest) === 0) return error;
  const { model } = splitting.subject;
  const node = model.graph.nodes[origin];
  const ways = waysToSplit(splitting.subject, node);
  const what = nodes.length === 1 ? ', which' : `; the largest is ${nodeLabel(node)}, which`;
  if (typeof ways === 'string') return error.with(`${what} ${ways}`, '');
  const name = quoted(node.name === '' ? ways[0].weight : node.name);
  if (splitting.mayBeSplit(origin))
    return error.with(`${what} cannot have more parts with the same bits`, '');
  return error.with(`${what} may not be split`, `, or allow to split ${name}`);
}
