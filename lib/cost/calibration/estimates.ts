/** One estimate for each constant that telemetry tells something about, in the order in which they need each other. */
import type { Environment } from '../constants/environment';
import type { CalibrationOptions, Estimate } from './estimate';
import { estimateComputing } from './estimate-computing';
import { estimateClient, estimateInit } from './estimate-functions';
import { estimateBandwidth, estimateSession } from './estimate-loads';
import { estimatePlacement, estimateTransitions } from './estimate-state-machine';
import { estimateReads, estimateWrites } from './estimate-tensors';
import { Estimator } from './estimator';
import type { Samples } from './samples';

export function estimatesOf(
  samples: Samples,
  options: CalibrationOptions,
  defaults: Environment,
): readonly Estimate[] {
  const estimator = new Estimator(samples, options, defaults);
  estimateInit(estimator);
  estimateComputing(estimator);
  estimateClient(estimator);
  estimateBandwidth(estimator);
  estimateReads(estimator);
  estimateWrites(estimator);
  estimateSession(estimator);
  estimateTransitions(estimator);
  estimatePlacement(estimator);
  return estimator.found;
}
