/** The costs by which plans are compared. */
import type { Dataflow } from '../dataflow/dataflow';
import { WeightTable } from '../dataflow/weights';
import type { PlanCosts } from '../plan/cuts/plan-costs';
import { NOMINAL_COLD_SHARE, nominalModel } from '../cost/nominal-model';

/** Bytes of weights read and of tensors computed per second on one vCPU: small MLPs and elementwise models measured here. */
const BYTES_PER_CORE_SECOND = 2e9;

export function planCosts(dataflow: Dataflow, bytes: readonly number[]): PlanCosts {
  const table = new WeightTable(dataflow, bytes);
  const { nodes, values } = dataflow.model.graph;
  const work = nodes.map((_, node) => {
    const weights = table.held[node].reduce((sum, value) => {
      const { initializer } = values[value];
      return sum + (initializer === undefined ? 0 : table.initializerBytes[initializer]);
    }, 0);
    return (weights + table.outputBytes(node)) / BYTES_PER_CORE_SECOND;
  });
  return { work, model: () => nominalModel(NOMINAL_COLD_SHARE) };
}
