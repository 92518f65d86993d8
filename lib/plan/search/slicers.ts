/** The slicers: each is one way to choose the cuts of a model. */
import { GREATEST_RATE } from '../../cost/alternatives/winners';
import type { Latency, Temperature, Transport } from '../../cost/cost-model';
import { SlicedInferenceError, quoted } from '../../errors';
import type { Graph, NodeIndex } from '../../onnx/model';
import type { CutSpace } from '../cuts/cuts';
import type { SliceSize } from '../sizes/estimate';
import { ephemeralStorageMb, memoryMb, threadCount } from '../sizes/estimate';
import type { Groups } from '../wiring/groups';
import type { SizeLimit } from './stretch-table';
import type { Range } from './stretches';
import { countedSlices, legalIn, optimalSlices, threadsWithin } from './partition';
import type { Choice, ChosenSettings, Minimize, PlanRequest } from './plan-request';
import type { SlicePlan } from '../file/plan';
import { fromRuns } from '../file/node-runs';
import { graphDigest } from '../file/graph-digest';
import {
  DEFAULT_MAX_MEMORY_MB,
  MAX_EPHEMERAL_STORAGE_MB,
  MAX_LAMBDA_MEMORY_MB,
  MIN_LAMBDA_MEMORY_MB,
} from '../sizes/lambda-quotas';
import { HeldWeights, WeightTable } from '../../dataflow/weights';

/** By what plans of a slicer are compared. */
export interface Goal {
  readonly minimize: Minimize;
  readonly temperature: Temperature;
  readonly quantile: keyof Latency;
  readonly maxLatencyMs?: number;
  /** Dollars of one run. */
  readonly maxDollars?: number;
  /** Requests per hour, from which the share of cold runs follows. */
  readonly requestsPerHour?: number;
  /** The most memory of a function, in MB, if the caller limits it. */
  readonly maxMemoryMb?: number;
}

/** By what plans are compared if the caller names the cuts or their number. */
export const DEFAULT_GOAL: Goal = { minimize: 'slices', temperature: 'mixed', quantile: 'p50' };

export interface Slicer {
  /** Identifies the choice: slicers with the same key choose the same cuts of the same model. */
  readonly key: string;
  /** @default DEFAULT_GOAL */
  readonly goal?: Goal;
  /** Chooses the nodes of each slice. */
  choose(space: CutSpace): Choice;
  /**
   * Chooses slices that each lie within one of the ranges; absent if the caller already named the cuts.
   *
   * @param sequential the settings of the slices without ranges, if the slicer chose any
   * @returns `undefined` if there are too many ranges
   */
  chooseWithin?(
    space: CutSpace,
    ranges: readonly Range[],
    sequential?: ChosenSettings,
  ): RangedChoice | undefined;
}

/** Slices within ranges, and the memory of their functions, in MB, if the slicer chose it. */
export interface RangedChoice {
  readonly groups: Groups;
  readonly memoryMb?: readonly number[];
}

/** Options of `automatic`. */
export interface AutomaticOptions {
  /** @default 'slices' */
  readonly minimize?: Minimize;
  /** Most milliseconds from the start of a run to its result. */
  readonly maxLatencyMs?: number;
  /**
   * The quantile of latency that is minimized or limited.
   *
   * @default 'p95'
   */
  readonly quantile?: keyof Latency;
  /** Most dollars of a million runs. */
  readonly maxCostPerMillion?: number;
  /**
   * Most memory of a function: a whole number of MB from 128 to 10,240.
   *
   * @default 3008
   */
  readonly maxMemorySize?: number;
  /** @default 'mixed' */
  readonly temperature?: Temperature;
  /**
   * Requests per hour, from which the share of cold runs follows.
   *
   * @default - the default share of the model of cost
   */
  readonly requestsPerHour?: number;
  /** @default ['s3-standard'] */
  readonly transports?: readonly Transport[];
  /** @default - no limit */
  readonly maxSlices?: number;
}

/**
 * Larger memory sizes, in MB, that the search tries: one vCPU, and the borders at which a function gets one more.
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html has the first, the others were measured by users.
 */
const USEFUL_MEMORY_MB = [1769, 3008, 3538, 5307, 7076, 8845, MAX_LAMBDA_MEMORY_MB];

const MILLION = 1e6;

/**
 * Chooses the best plan: by default the fewest slices whose functions need at most 3,008 MB, and of these the cheapest.
 *
 * @param setting name of the limit on memory in errors
 */
export function automatic(options: AutomaticOptions = {}, setting = 'maxMemorySize'): Slicer {
  const {
    maxMemorySize: maxMemory = DEFAULT_MAX_MEMORY_MB,
    maxCostPerMillion,
    maxSlices = Infinity,
  } = options;
  if (!Number.isInteger(maxMemory) || maxMemory < MIN_LAMBDA_MEMORY_MB || maxMemory > MAX_LAMBDA_MEMORY_MB) {
    throw new SlicedInferenceError(
      `${setting} must be a whole number of MB from ${MIN_LAMBDA_MEMORY_MB} to ${MAX_LAMBDA_MEMORY_MB}`,
      String(maxMemory),
      'use at most the memory that your account allows for one function',
    );
  }
  const { minimize = 'slices', temperature = 'mixed', quantile = 'p95' } = options;
  const { maxLatencyMs, requestsPerHour, transports = ['s3-standard'] } = options;
  checkPositive('the latency in ms', maxLatencyMs);
  checkPositive('the cost of a million runs', maxCostPerMillion);
  checkRate(requestsPerHour);
  const maxDollars = maxCostPerMillion === undefined ? undefined : maxCostPerMillion / MILLION;
  const goal: Goal = {
    ...{ minimize, temperature, quantile, maxLatencyMs, maxDollars, requestsPerHour },
    maxMemoryMb: maxMemory,
  };
  const limit = functionLimit(maxMemory, setting);
  const request = (space: CutSpace): PlanRequest => ({
    ...goal,
    model: space.costs.model(requestsPerHour),
    maxMemoryMb: maxMemory,
    memorySizes: USEFUL_MEMORY_MB.filter((memory) => memory <= maxMemory),
    transports,
    threads: threadsWithin(maxMemory),
    maxSlices,
  });
  return {
    key: `automatic ${JSON.stringify({ ...goal, transports, maxSlices: String(maxSlices) })}`,
    goal,
    choose: (space) => optimalSlices(space, request(space), limit),
    chooseWithin: (space, ranges, sequential) => {
      const own = request(space);
      // Limits bind the whole plan, not each range. All slices share their threads and their transport.
      const ofRange = {
        ...own,
        maxLatencyMs: undefined,
        maxDollars: undefined,
        ...(sequential && { threads: [sequential.threads], transports: [sequential.transport] }),
      };
      const choices = ranges.map((range) => optimalSlices(space, ofRange, limit, range));
      return {
        groups: choices.flatMap(({ groups }) => groups),
        memoryMb: choices.flatMap(({ settings }) => settings?.memoryMb ?? []),
      };
    },
  };
}

/** What one function can hold. */
function functionLimit(maxMemory: number, setting: string): SizeLimit {
  return {
    fits: (size) => memoryMb(size) <= maxMemory && fitsEphemeralStorage(size),
    isHopeless: (size) =>
      memoryMb({ ...size, writeBytes: 0, copiedBytes: 0 }) > maxMemory || !fitsEphemeralStorage(size),
    describe: (size) =>
      memoryMb(size) <= maxMemory
        ? {
            limit: `have at most ${MAX_EPHEMERAL_STORAGE_MB} MB of files`,
            got: `${ephemeralStorageMb(size.weightBytes)} MB`,
            advice: 'use a smaller model',
          }
        : {
            limit: `need at most ${maxMemory} MB of memory`,
            got: `${memoryMb(size)} MB`,
            advice: `raise ${setting}`,
          },
  };
}

function checkRate(requestsPerHour: number | undefined): void {
  checkPositive('the number of requests per hour', requestsPerHour);
  if (requestsPerHour === undefined || requestsPerHour <= GREATEST_RATE) return;
  throw new SlicedInferenceError(
    `the number of requests per hour must be at most ${GREATEST_RATE.toLocaleString('en-US')}`,
    String(requestsPerHour),
    'pass a smaller number, because services are compared up to this rate',
  );
}

function checkPositive(what: string, number: number | undefined): void {
  if (number === undefined || (number > 0 && Number.isFinite(number))) return;
  throw new SlicedInferenceError(`${what} must be a number above 0`, String(number), 'pass a larger number');
}

function fitsEphemeralStorage({ weightBytes }: SliceSize): boolean {
  return ephemeralStorageMb(weightBytes) <= MAX_EPHEMERAL_STORAGE_MB;
}

/** Each function gets the least memory that fits. It has the vCPUs of that memory, so no slice needs more threads. */
function leastMemory(space: CutSpace): PlanRequest {
  return {
    ...DEFAULT_GOAL,
    minimize: 'cost',
    model: space.costs.model(),
    maxMemoryMb: Infinity,
    memorySizes: [],
    transports: ['s3-standard'],
    threads: [threadCount(MAX_LAMBDA_MEMORY_MB)],
    maxSlices: Infinity,
  };
}

/** Chooses exactly `slices` slices: cheap ones that move few bytes, see `countedSlices`. */
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
    choose: (space) => countedSlices(space, slices, leastMemory(space)),
    chooseWithin: (space, ranges) => {
      const counts = slicesPerRange(slices, ranges, space);
      if (counts === undefined) return undefined;
      const request = leastMemory(space);
      return {
        groups: ranges.flatMap((range, index) => countedSlices(space, counts[index], request, range).groups),
      };
    },
  };
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
  const limit: SizeLimit = {
    fits: ({ weightBytes }) => weightBytes <= bytes,
    isHopeless: ({ weightBytes }) => weightBytes > bytes,
    describe: ({ weightBytes }) => ({
      limit: `have at most ${bytes} bytes of weights`,
      got: `${weightBytes} bytes`,
      advice: 'raise the slice size',
    }),
  };
  const groupsWithin = (space: CutSpace, range?: Range): Groups =>
    optimalSlices(space, { ...leastMemory(space), minimize: 'slices' }, limit, range).groups;
  return {
    key: `max slice size ${bytes}`,
    choose: (space) => ({ groups: groupsWithin(space) }),
    chooseWithin: (space, ranges) => ({ groups: ranges.flatMap((range) => groupsWithin(space, range)) }),
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
  return {
    key: `at tensors ${JSON.stringify(names)}`,
    choose: (space) => ({ groups: groupsAt(space, names) }),
  };
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
      const byRank = (a: NodeIndex, b: NodeIndex): number => dataflow.rank[a] - dataflow.rank[b];
      return { groups: nodesOfSlices.map((runs) => fromRuns(runs).sort(byRank)) };
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
