/** Cuts at named tensors, as a plan file does, or by the weights of a slice. */
import { SlicedInferenceError, quoted } from '../../errors';
import type { NodeIndex, Graph } from '../../onnx/model';
import type { CutSpace } from '../cuts/cuts';
import type { Groups } from '../wiring/wiring';
import type { NamedSlicer } from './slicer';
import { type SlicePlan, graphDigest, fromRuns } from '../file/plan';
import { type SizeLimit, whole } from '../search/cut-graph';
import type { Range } from '../cuts/range-sizes';
import { leastMemory, RangeSearch } from './range-search';

/** Cuts after each of the tensors: a slice contains the nodes that its tensor needs and that no earlier slice contains. */
export function atTensors(names: readonly string[]): NamedSlicer {
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

/** Cuts as a plan of the same graph does. @param name name of the plan in errors */
export function fromPlan(plan: SlicePlan, name: string): NamedSlicer {
  const nodesOfSlices = plan.slices.map(({ nodes }) => nodes);
  return {
    key: `from plan ${plan.model.graphDigest} ${JSON.stringify([nodesOfSlices, plan.splits])}`,
    splits: plan.splits ?? [],
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

const MIB = 2 ** 20;

/** By this share, an even plan may weigh more than the lightest one. */
const EVEN_SHARE = 0.01;

/** Chooses the fewest slices that each have at most `bytes` bytes of weights. */
export function maxSliceSize(bytes: number): NamedSlicer {
  if (!Number.isSafeInteger(bytes) || bytes < 1) {
    throw new SlicedInferenceError(
      'the size of a slice must be a whole number of bytes above 0',
      String(bytes),
      'pass a size such as 64 MiB',
    );
  }
  const groupsWithin = (space: CutSpace, ranges: readonly Range[]): Groups => {
    const limit: SizeLimit = {
      fits: ({ weightBytes }) => weightBytes <= bytes,
      isHopeless: ({ weightBytes }) => weightBytes > bytes,
      describe: ({ weightBytes }) => ({
        limit: `have at most ${inMib(bytes)} of weights`,
        got: inMib(weightBytes),
        advice: `raise the slice size to at least ${inMib(weightBytes)}`,
      }),
    };
    const request = { ...leastMemory(space), minimize: 'slices' as const };
    return ranges.flatMap((range) => {
      const search = new RangeSearch(space, limit, range);
      const [{ groups }] = search.plans(request);
      const even = search.evenPlans(request, groups.length).find(({ more }) => more <= EVEN_SHARE);
      return even?.groups ?? groups;
    });
  };
  return {
    key: `max slice size ${bytes}`,
    choose: (space) => ({ groups: groupsWithin(space, [whole(space)]) }),
    chooseWithin: (space, ranges) => ({ groups: groupsWithin(space, ranges) }),
  };
}

/** Rounded up, because less may not be enough. */
function inMib(bytes: number): string {
  return bytes < MIB ? `${bytes} bytes` : `${Math.ceil((10 * bytes) / MIB) / 10} MiB`;
}
