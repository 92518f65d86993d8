/** The plan that a stack deploys, and what tells one deployment from another. */
import { Fn, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { SlicePlan } from '../plan/file/plan';

/** A plan whose `threads` is the thread count of the deployed functions. */
export interface DeployedPlan extends SlicePlan {
  /**
   * Hexadecimal SHA-256 of everything that a result depends on: the plan, the code with ONNX Runtime, the processor
   * architecture, the thread count and the zone of the tensor store. Tasks send it and functions compare
   * it, so a run stops if a deployment changes any of these during the run.
   */
  readonly deploymentDigest: string;
}

/** Tells deployments of a stack apart, also those of one name in several accounts, and a stack from a deleted one. */
export function stackUuid(scope: Construct): string {
  // `arn:aws:cloudformation:region:account:stack/name/uuid`
  return Fn.select(2, Fn.split('/', Stack.of(scope).stackId));
}
