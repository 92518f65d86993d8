/** The estimates of work and cost by which plans of a model are compared. */
import type { DetailedCostModel } from '../../cost/model';
import type { MeasuredPeak } from '../sizes/measured-peaks';
import type { NodeWork } from '../../node-work/node-work';

export interface PlanCosts {
  /** By node: seconds on one vCPU of Lambda. */
  readonly work: NodeWork;
  /** Seconds on one vCPU of Lambda to write a byte of a slice's outputs into new memory. */
  readonly outputSecondsPerByte: number;
  /**
   * Slices of the graph whose memory was measured with the planned sizes.
   *
   * @default - all memory is estimated
   */
  readonly peaks?: readonly MeasuredPeak[];
  /**
   * The model of cost and latency of a pipeline that gets so many requests per hour.
   *
   * @default requestsPerHour - 10: about a third of the runs is cold
   * @default warmUp - as the pipeline is set; with an automatic choice, true
   */
  model(requestsPerHour?: number, warmUp?: boolean): DetailedCostModel;
}
