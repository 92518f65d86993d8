/** The plan that a stack deploys. */
import type { SlicePlan } from '../plan/file/plan';

/** A plan whose `threads` is the thread count of the deployed functions. */
export interface DeployedPlan extends SlicePlan {
  /**
   * Hexadecimal SHA-256 of everything that a result depends on: the plan, the code with ONNX Runtime, the processor
   * architecture, the thread count, the transport and the zone of the tensor store. Tasks send it and functions compare
   * it, so a run stops if a deployment changes any of these during the run.
   */
  readonly deploymentDigest: string;
}
