/** What a plan and a profile say of each slice. */
import { SlicedInferenceError, quoted } from '../../lib/errors';
import { readPlan } from '../../lib/compile/files/read-plan';
import { readProfile } from '../../lib/compile/files/read-profile';
import type { SliceFacts } from '../../lib/cost/calibration/samples';
import { profiledWork } from '../../lib/compute-time/profile/profile';
import { REFERENCE_FLOPS } from '../../lib/compute-time/reference-processor';
import { fromRuns } from '../../lib/plan/file/plan';

export function sliceFacts(planPath: string, profilePath?: string): SliceFacts[] {
  const plan = readPlan(planPath);
  const profile = profilePath === undefined ? undefined : readProfile(profilePath);
  if (profile !== undefined && profile.model.graphDigest !== plan.model.graphDigest) {
    throw new SlicedInferenceError(
      `profile ${quoted(profilePath ?? '')} must be of the graph of plan ${quoted(planPath)}`,
      `a profile of another graph, of ${quoted(profile.model.file)}`,
      'profile the model of the plan with `sliced-inference profile`',
    );
  }
  const work = profile === undefined ? [] : profiledWork(profile);
  return plan.slices.map(({ memoryMb, inputs, nodes }) => {
    const sources = inputs.map(({ source }) => (source.from === 'slice' ? source.slice : -1));
    const facts = { memoryMb, threads: plan.threads, reads: new Set(sources).size };
    if (profile === undefined) return facts;
    const { callSeconds, flopsPerSecond } = profile.machine;
    const seconds = fromRuns(nodes).reduce((sum, node) => sum + (work[node] ?? 0), 0);
    return { ...facts, coreMs: (seconds + callSeconds * (flopsPerSecond / REFERENCE_FLOPS)) * 1000 };
  });
}
