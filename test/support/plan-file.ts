import { readPlan } from '../../lib/compile/files/read-plan';
import { type NamedSlicer, fromPlan } from '../../lib/plan/slicers';

/** Returns a slicer that cuts as the plan file says. */
export function fromPlanFile(path: string): NamedSlicer {
  return fromPlan(readPlan(path), path);
}
