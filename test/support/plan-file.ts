import { readPlan } from '../../lib/compile/plan-file';
import type { Slicer } from '../../lib/plan/search/slicers';
import { fromPlan } from '../../lib/plan/search/slicers';

/** Returns a slicer that cuts as the plan file says. */
export function fromPlanFile(path: string): Slicer {
  return fromPlan(readPlan(path), path);
}
