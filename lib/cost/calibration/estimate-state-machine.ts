/** How long a state machine takes between two states, and to start a sandbox. */
import { median } from '../../compute-time/profile/quantiles';
import { gapsOf } from './chains';
import { type Estimator, MIN_SAMPLES } from './estimator';
import { distributionOf } from './statistics';

export function estimateTransitions(estimator: Estimator): void {
  const { samples, options, environment } = estimator;
  const name = options.stateMachineType === 'standard' ? 'standard1KiB' : 'express';
  const gaps = gapsOf(samples.calls)
    .filter(({ next }) => !next.cold)
    .map(({ ms, next }) => Math.max(0, ms - estimator.clientMs(next)));
  const seen = gaps.length >= MIN_SAMPLES ? gaps : samples.transitions;
  const shape = environment.stepFunctions[name];
  estimator.estimate('stepFunctions', name, seen, 'calls of warm runs of two slices and more', (all) =>
    distributionOf(all, shape),
  );
}

/** The calls that start a sandbox wait for a transition, the placement and the init phase. */
export function estimatePlacement(estimator: Estimator): void {
  const { samples, options, environment } = estimator;
  const { lambda, stepFunctions } = environment;
  const transition =
    options.stateMachineType === 'standard' ? stepFunctions.standard1KiB : stepFunctions.express;
  const init = options.architecture === 'arm64' ? lambda.armInitMs : lambda.x86InitMs;
  const usual = transition.find(([percent]) => percent === 50)?.[1] ?? 0;
  const placements = gapsOf(samples.calls).flatMap(({ ms, next }) =>
    next.cold && !next.warmedUp && next.report?.initMs !== undefined
      ? [Math.max(0, ms - usual - (next.report.initMs || init) - estimator.clientMs(next))]
      : [],
  );
  estimator.estimate('lambda', 'placementMs', placements, 'cold calls without a warm-up', median);
}
