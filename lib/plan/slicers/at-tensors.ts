/** Cuts at named tensors. */
import { SlicedInferenceError, quoted } from '../../errors';
import type { NodeIndex } from '../../onnx/model';
import type { CutSpace } from '../cuts/cuts';
import type { Groups } from '../wiring/wiring';
import type { NamedSlicer } from './slicer';

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
