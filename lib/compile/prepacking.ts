/**
 * Decides whether sessions rewrite weights for the kernels when they are created. All slices and the whole model do the same, because the last
 * bits of some results depend on it.
 */
import { coldShare } from '../cost/formulas/lambda';
import { type CostOptions, withDefaults } from '../cost/options';
import { WeightTable } from '../dataflow/weights';
import type { Dataflow } from '../dataflow/dataflow';
import { nodeSeconds } from '../compute-time/node-seconds';
import type { PlannedTypes } from '../shapes/planned-types';

/**
 * Only a stated rate at which nearly every run is cold makes prepacking cost more than it saves. Milliseconds of a load and of a run are
 * both those of one vCPU.
 */
export function isPrepackingWorthwhile(
  dataflow: Dataflow,
  planned: PlannedTypes,
  costs: CostOptions,
): boolean {
  const { requestsPerHour } = costs;
  if (requestsPerHour === undefined) return true;
  const { environment } = withDefaults(costs);
  const secondsOf = (prepacking: boolean): number =>
    nodeSeconds(dataflow.model, planned.types, { prepacking }).reduce((sum, seconds) => sum + seconds, 0);
  const saved = 1000 * (secondsOf(false) - secondsOf(true));
  const { touchedBytes, isPacked } = new WeightTable(dataflow, planned.bytes);
  const packed = touchedBytes.filter((_, initializer) => isPacked[initializer]);
  const megabytes = packed.reduce((sum, bytes) => sum + bytes, 0) / 1e6;
  const { prepackCpu, firstRun } = environment.handler;
  // Without prepacking, the first run reads the pages of the weights.
  return saved >= coldShare(requestsPerHour, environment) * (prepackCpu - firstRun) * megabytes;
}
