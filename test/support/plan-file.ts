import { readPlan } from '../../lib/compile/plan-file';
import type { Slicer } from '../../lib/plan/search/slicers';
import { fromPlan } from '../../lib/plan/search/slicers';

/** The slicer of a plan file. */
export function fromPlanFile(path: string): Slicer {
  return fromPlan(readPlan(path), path);
}
