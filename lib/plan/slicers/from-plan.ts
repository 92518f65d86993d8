/** Takes the cuts of a plan file. */
import { SlicedInferenceError, quoted } from '../../errors';
import type { Graph, NodeIndex } from '../../onnx/model';
import { graphDigest } from '../file/graph-digest';
import { fromRuns } from '../file/node-runs';
import type { SlicePlan } from '../file/plan';
import type { NamedSlicer } from './slicer';

/**
 * Cuts as a plan of the same graph does.
 *
 * @param name name of the plan in errors
 */
export function fromPlan(plan: SlicePlan, name: string): NamedSlicer {
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
