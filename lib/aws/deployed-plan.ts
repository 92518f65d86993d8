/** A plan as a stack deploys it. */
import type { SlicePlan } from '../plan/plan';

/** A plan whose `threads` are those of the deployed functions. */
export interface DeployedPlan extends SlicePlan {
  /**
   * Hexadecimal SHA-256 over everything that the bits of a result depend on: the plan, the code with ONNX Runtime, the
   * processor architecture, the number of threads and the transport. Tasks and functions carry it, so that a run stops
   * when a deployment changes any of these meanwhile.
   */
  readonly deploymentDigest: string;
}
