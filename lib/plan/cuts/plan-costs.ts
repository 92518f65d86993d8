/** The estimates of work and cost by which plans of a model are compared. */
import type { CostModel } from '../../cost/cost-model';
import type { NodeWork } from '../../work/node-work';

export interface PlanCosts {
  readonly work: NodeWork;
  /**
   * The model of cost and latency of a pipeline that gets so many requests per hour.
   *
   * @default requestsPerHour - the default share of cold runs
   */
  model(requestsPerHour?: number): CostModel;
}
