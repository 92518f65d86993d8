/** The slicers: each is one way to choose the cuts of a model. */
import { SlicedInferenceError, quoted } from '../../errors';
import type { Graph, NodeIndex } from '../../onnx/model';
import type { CutSpace } from '../cuts/cuts';
import type { SliceSize } from '../sizes/estimate';
import { memoryMb } from '../sizes/estimate';
import type { Groups } from '../wiring/groups';
import type { SizeLimit } from './stretch-table';
import type { Range } from './stretches';
import { evenSlices, fewestSlices, legalIn } from './partition';
import type { SlicePlan } from '../file/plan';
import { fromRuns } from '../file/node-runs';
import { graphDigest } from '../file/graph-digest';
import { DEFAULT_MAX_MEMORY_MB, MAX_LAMBDA_MEMORY_MB, MIN_LAMBDA_MEMORY_MB } from '../sizes/lambda-quotas';
import { HeldWeights, WeightTable } from '../../dataflow/weights';

export interface Slicer {
  /** Identifies the choice: slicers with the same key choose the same cuts of the same model. */
  readonly key: string;
  /** Chooses the nodes of each slice. */
  choose(space: CutSpace): Groups;
  /**
   * Chooses slices that each lie within one of the ranges; absent if the caller already named the cuts.
   *
   * @returns `undefined` if there are too many ranges
   */
  chooseWithin?(space: CutSpace, ranges: readonly Range[]): Groups | undefined;
}

/**
 * Chooses the fewest slices whose functions need at most `maxMemory` MB.
 *
 * @param maxMemory whole number of MB from 128 to 10,240; 3,008 by default
 * @param setting name of the limit in errors
 */
export function automatic(maxMemory: number = DEFAULT_MAX_MEMORY_MB, setting = 'maxMemorySize'): Slicer {
  if (!Number.isInteger(maxMemory) || maxMemory < MIN_LAMBDA_MEMORY_MB || maxMemory > MAX_LAMBDA_MEMORY_MB) {
    throw new SlicedInferenceError(
      `${setting} must be a whole number of MB from ${MIN_LAMBDA_MEMORY_MB} to ${MAX_LAMBDA_MEMORY_MB}`,
      String(maxMemory),
      'use at most the memory that your account allows for one function',
    );
  }
  return {
    key: `automatic ${maxMemory}`,
    ...fewestWithin({
      fits: (size) => memoryMb(size) <= maxMemory,
      isHopeless: (size) => memoryMb({ ...size, writeBytes: 0, copiedBytes: 0 }) > maxMemory,
      describe: (size) => ({
        limit: `need at most ${maxMemory} MB of memory`,
        got: `${memoryMb(size)} MB`,
        advice: `raise ${setting}`,
      }),
    }),
  };
}

function fewestWithin(limit: SizeLimit): Pick<Slicer, 'choose' | 'chooseWithin'> {
  return {
    choose: (space) => fewestSlices(space, limit),
    chooseWithin: (space, ranges) => ranges.flatMap((range) => fewestSlices(space, limit, range)),
  };
}

/** Chooses exactly `slices` slices that need about the same memory. */
export function count(slices: number): Slicer {
  if (!Number.isInteger(slices) || slices < 1) {
    throw new SlicedInferenceError(
      'the number of slices must be a whole number of 1 or more',
      String(slices),
      'pass a positive whole number',
    );
  }
  return {
    key: `count ${slices}`,
    choose: (space) => evenSlices(space, slices, memoryNeed),
    chooseWithin: (space, ranges) => {
      const counts = slicesPerRange(slices, ranges, space);
      return counts && ranges.flatMap((range, index) => evenSlices(space, counts[index], memoryNeed, range));
    },
  };
}

function memoryNeed({ weightBytes, activationBytes }: SliceSize): number {
  return weightBytes + activationBytes;
}

/** By range: its number of slices. Each range gets one; each further slice goes to the range with the largest slices. */
function slicesPerRange(slices: number, ranges: readonly Range[], space: CutSpace): number[] | undefined {
  if (ranges.length > slices) return undefined;
  const table = new WeightTable(space.dataflow, space.bytes);
  const needs = ranges.map(({ start, end }) => {
    const held = new HeldWeights(table);
    for (const node of space.dataflow.order.slice(start, end)) held.addNode(node);
    return held.weightBytes;
  });
  const most = ranges.map((range) => legalIn(space, range).length + 1);
  const counts = ranges.map(() => 1);
  for (let left = slices - ranges.length; left > 0; left--) {
    const open = counts.map((_, range) => range).filter((range) => counts[range] < most[range]);
    if (open.length === 0) return undefined;
    const next = open.reduce((a, b) => (needs[b] / counts[b] > needs[a] / counts[a] ? b : a));
    counts[next]++;
  }
  return counts;
}

/** Chooses the fewest slices that each have at most `bytes` bytes of weights. */
export function maxSliceSize(bytes: number): Slicer {
  if (!Number.isSafeInteger(bytes) || bytes < 1) {
    throw new SlicedInferenceError(
      'the size of a slice must be a whole number of bytes above 0',
      String(bytes),
      'pass a size such as 64 MiB',
    );
  }
  return {
    key: `max slice size ${bytes}`,
    ...fewestWithin({
      fits: ({ weightBytes }) => weightBytes <= bytes,
      isHopeless: ({ weightBytes }) => weightBytes > bytes,
      describe: ({ weightBytes }) => ({
        limit: `have at most ${bytes} bytes of weights`,
        got: `${weightBytes} bytes`,
        advice: 'raise the slice size',
      }),
    }),
  };
}

/** Cuts after each of the tensors: a slice contains the nodes that its tensor needs and that no earlier slice contains. */
export function atTensors(names: readonly string[]): Slicer {
  if (names.length === 0) {
    throw new SlicedInferenceError(
      'the list of tensors to cut at must have one tensor or more',
      'none',
      'name a tensor, or request one slice',
    );
  }
  return { key: `at tensors ${JSON.stringify(names)}`, choose: (space) => groupsAt(space, names) };
}

function groupsAt(space: CutSpace, names: readonly string[]): Groups {
  const { dataflow, producedAt } = space;
  const { model, order } = dataflow;
  const values = new Map(model.graph.values.map(({ name }, value) => [name, value]));
  const closures = names.map((name) => {
    const value = values.get(name);
    if (value === undefined || producedAt[value] < 0) {
      throw new SlicedInferenceError(
        `a tensor to cut at must be computed by a node from the model's inputs`,
        value === undefined
          ? `${quoted(name)}, which ${model.isSettled ? 'the graph that ONNX Runtime saved' : 'the model'} does not have`
          : `${quoted(name)}, which is an input, constant or unused`,
        'list names with `sliced-inference inspect --json`',
      );
    }
    return { name, nodes: ancestors(space, order[producedAt[value]]) };
  });
  closures.sort((a, b) => a.nodes.size - b.nodes.size);
  const assigned = new Set<NodeIndex>();
  const groups = closures.map(({ name, nodes }) => {
    const group = order.filter((node) => nodes.has(node) && !assigned.has(node));
    if (group.length === 0) throw emptySlice(name);
    group.forEach((node) => assigned.add(node));
    return group;
  });
  const rest = order.filter((node) => !assigned.has(node));
  if (rest.length === 0) throw emptySlice(closures[closures.length - 1].name);
  return [...groups, rest];
}

/**
 * Cuts as a plan of the same graph does.
 *
 * @param name name of the plan in errors
 */
export function fromPlan(plan: SlicePlan, name: string): Slicer {
  const nodesOfSlices = plan.slices.map(({ nodes }) => nodes);
  return {
    key: `from plan ${plan.model.graphDigest} ${JSON.stringify(nodesOfSlices)}`,
    choose: ({ dataflow }) => {
      checkSameGraph(plan, name, dataflow.model.graph);
      return nodesOfSlices.map((runs) => fromRuns(runs).sort((a, b) => dataflow.rank[a] - dataflow.rank[b]));
    },
  };
}

function checkSameGraph({ model }: SlicePlan, name: string, graph: Graph): void {
  if (model.nodes === graph.nodes.length && model.graphDigest === graphDigest(graph)) return;
  throw new SlicedInferenceError(
    `plan ${quoted(name)} must be made from the same graph as the model`,
    model.nodes === graph.nodes.length
      ? 'a plan of other operators or names'
      : `a plan of ${model.nodes} nodes for a model of ${graph.nodes.length} nodes`,
    'make a new plan with `sliced-inference slice` and the same graph optimization',
  );
}

function emptySlice(name: string): SlicedInferenceError {
  return new SlicedInferenceError(
    `a cut at ${quoted(name)} must leave nodes on both sides`,
    'none on one side',
    'leave that tensor out',
  );
}

function ancestors({ dataflow, producedAt }: CutSpace, root: NodeIndex): Set<NodeIndex> {
  const found = new Set([root]);
  const pending = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    for (const value of dataflow.reads[node]) {
      if (producedAt[value] < 0) continue;
      const producer = dataflow.order[producedAt[value]];
      if (found.has(producer)) continue;
      found.add(producer);
      pending.push(producer);
    }
  }
  return found;
}
