/** The estimates of work and cost by which plans of a model are compared. */
import type { DetailedCostModel } from '../../cost/model';
import type { NodeEstimates } from '../sizes/slice-sizes';

/** Seconds of computing are those of one vCPU of Lambda. */
export interface PlanCosts extends NodeEstimates {
  /** Seconds on one vCPU of Lambda to write a byte of a slice's outputs into new memory. */
  readonly outputSecondsPerByte: number;
  /**
   * Whether the pipeline warms up.
   *
   * @default - by the files of its plan
   */
  readonly warmUp?: boolean;
  /**
   * The model of cost and latency of a pipeline that gets so many requests per hour.
   *
   * @default requestsPerHour - 10: about a third of the runs is cold
   * @default warmUp - as the pipeline is set; with an automatic choice, true
   */
  model(requestsPerHour?: number, warmUp?: boolean): DetailedCostModel;
}
