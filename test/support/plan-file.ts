import { readPlan } from '../../lib/compile/plan-file';
import { type NamedSlicer, fromPlan } from '../../lib/plan/slicing';

/** Returns a slicer that cuts as the plan file says. */
export function fromPlanFile(path: string): NamedSlicer {
  return fromPlan(readPlan(path), path);
}
