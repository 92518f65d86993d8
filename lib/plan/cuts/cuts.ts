/** Finds the places where a model can be cut, and those of them that a search compares. */
import type { ValueIndex } from '../../onnx/model';
import type { CrossingRule } from '../../dataflow/crossing';
import type { Dataflow } from '../../dataflow/dataflow';
import type { End } from '../../cost/constants/ends';
import type { DetailedCostModel } from '../../cost/model';
import type { NodeEstimates } from '../sizes/slice-tables';

/** Seconds of computing are those of one vCPU of Lambda. */
export interface PlanCosts extends NodeEstimates {
  /** Threads of ONNX Runtime in functions of which the largest has so much memory. Parts of operators may allow fewer than its vCPUs. */
  threads(memoryMb: number): number;
  /** Seconds on one vCPU of Lambda to write a byte of a slice's outputs into new memory. */
  readonly outputSecondsPerByte: number;
  /** Whether the pipeline warms up. @default - by the files of its plan */
  readonly warmUp?: boolean;
  /**
   * The model of cost and latency of a pipeline that gets so many requests per hour.
   *
   * @default requestsPerHour - 10: about a third of the runs is cold
   * @default warmUp - as the pipeline is set; with an automatic choice, true
   */
  model(requestsPerHour?: number, warmUp?: boolean): DetailedCostModel;
  /** The same where runs are fastest, or slowest. */
  at(end: End): PlanCosts;
}

/** The cuts of `order`. Cut `c` lies before position `c`, from 1 to `order.length - 1`. */
export interface CutSpace {
  readonly dataflow: Dataflow;
  readonly rule: CrossingRule;
  /** By value: its planned bytes. */
  readonly bytes: readonly number[];
  readonly costs: PlanCosts;
  /** By cut: bytes of the values that cross it. */
  readonly crossingBytes: readonly number[];
  /** By cut: a value that crosses it although the rule forbids that; `undefined` if there is none. */
  readonly blocker: readonly (ValueIndex | undefined)[];
  /** The legal cuts, ascending. */
  readonly legal: readonly number[];
  /** The larger space of cuts in which only constant nodes are repeated; absent if this is that space. */
  readonly withoutRepeats?: CutSpace;
  /** By value: the position in `order` of its producer; -1 if `order` has none. */
  readonly producedAt: Int32Array;
  /** By value: the position in `order` of its last user; -1 if `order` has none. */
  readonly lastUsedAt: Int32Array;
}

export function findCuts(
  dataflow: Dataflow,
  rule: CrossingRule,
  bytes: readonly number[],
  costs: PlanCosts,
): CutSpace {
  const { order, reads, model, isLive } = dataflow;
  const { values, nodes } = model.graph;
  const firstLive = order.findIndex((node) => isLive[node]);
  const producedAt = new Int32Array(values.length).fill(-1);
  const lastUsedAt = new Int32Array(values.length).fill(-1);
  order.forEach((node, position) => {
    for (const output of nodes[node].outputs) if (output >= 0) producedAt[output] = position;
    for (const value of reads[node]) lastUsedAt[value] = position;
  });
  const change = new Float64Array(order.length + 2);
  const blocker = new Array<ValueIndex | undefined>(order.length + 1);
  let blockedUntil = 0;
  const crossing = values
    .map((_, value) => value)
    .filter((value) => producedAt[value] >= 0 && lastUsedAt[value] > producedAt[value]);
  crossing.sort((a, b) => producedAt[a] - producedAt[b]);
  for (const value of crossing) {
    change[producedAt[value] + 1] += bytes[value];
    change[lastUsedAt[value] + 1] -= bytes[value];
    if (rule(value) === undefined) continue;
    // The values are sorted by producer, so starting at `blockedUntil` marks each cut once.
    for (let cut = Math.max(producedAt[value] + 1, blockedUntil); cut <= lastUsedAt[value]; cut++)
      blocker[cut] = value;
    blockedUntil = Math.max(blockedUntil, lastUsedAt[value] + 1);
  }
  const crossingBytes: number[] = [];
  const legal: number[] = [];
  let live = 0;
  for (let cut = 0; cut <= order.length; cut++) {
    live += change[cut];
    crossingBytes.push(live);
    if (cut === 0 || cut === order.length || blocker[cut] !== undefined) continue;
    // No slice is useless: each later slice begins with a node that an output needs, and the first slice contains one.
    if (cut > firstLive && isLive[order[cut]]) legal.push(cut);
  }
  return { dataflow, rule, bytes, costs, crossingBytes, blocker, legal, producedAt, lastUsedAt };
}

/** How many nodes slices share out, if they repeat only constant ones. */
export function nodesToShareOut(cuts: CutSpace): number {
  return (cuts.withoutRepeats ?? cuts).dataflow.order.length;
}

/** The space with repeated nodes, and the one without them; only the latter if no nodes are repeated. */
export function spacesOf(cuts: CutSpace): readonly CutSpace[] {
  return cuts.withoutRepeats === undefined ? [cuts] : [cuts, cuts.withoutRepeats];
}

/** The search compares all legal cuts up to this number; its time grows with their square. */
const MAX_CANDIDATES = 192;

/** Ranges whose nodes the search sums up at most, in nodes. It has fewer candidates in larger graphs. */
const MAX_VISITS = 400_000;
const MIN_CANDIDATES = 48;

export function candidateLimit(nodes: number): number {
  const affordable = Math.floor((2 * MAX_VISITS) / Math.max(1, nodes));
  return Math.max(MIN_CANDIDATES, Math.min(MAX_CANDIDATES, affordable));
}

/**
 * At most `limit` legal cuts and `required` ones: of each neighborhood the cut with the fewest crossing bytes.
 * Neighborhoods have about the same amount of nodes and of work together.
 *
 * @param legal ascending
 * @param required legal cuts
 */
export function candidateCuts(
  { crossingBytes, dataflow, costs }: CutSpace,
  legal: readonly number[],
  limit: number,
  required: readonly number[] = [],
): readonly number[] {
  if (legal.length <= limit) return legal;
  const seconds = new Float64Array(dataflow.order.length + 1);
  dataflow.order.forEach((node, position) => {
    seconds[position + 1] = seconds[position] + costs.work[node];
  });
  const total = seconds[dataflow.order.length];
  const [first, last] = [legal[0], legal[legal.length - 1]];
  const share = (cut: number): number => {
    const bySeconds = total > 0 ? (seconds[cut] - seconds[first]) / (seconds[last] - seconds[first] || 1) : 0;
    const byNodes = (cut - first) / (last - first);
    return total > 0 ? (bySeconds + byNodes) / 2 : byNodes;
  };
  const best = new Map<number, number>();
  for (const cut of legal) {
    const neighborhood = Math.min(limit - 1, Math.floor(share(cut) * limit));
    const known = best.get(neighborhood);
    if (known === undefined || crossingBytes[cut] < crossingBytes[known]) best.set(neighborhood, cut);
  }
  return [...new Set([...best.values(), ...required])].sort((a, b) => a - b);
}
