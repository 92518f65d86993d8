/** Reads and checks a `plan.json`. */
import * as fs from 'node:fs';
import { SlicedInferenceError, quoted } from '../errors';
import type { PathFault } from '../host/foreign-path';
import { unreadablePath } from '../host/foreign-path';
import { isPlan } from '../plan/file/check-plan';
import type { SlicePlan } from '../plan/file/plan';
import { PLAN_VERSION } from '../plan/file/plan';

/** @throws SlicedInferenceError for a file that cannot be read or is not a plan of this version */
export function readPlan(path: string): SlicePlan {
  let text: string;
  try {
    text = fs.readFileSync(path, 'utf8');
  } catch (error) {
    const { got, advice } = faultOf(path, error);
    throw new SlicedInferenceError(`plan ${quoted(path)} must be a readable file`, got, advice);
  }
  const plan = parseJson(text);
  if (isPlan(plan)) return plan;
  throw new SlicedInferenceError(
    `plan ${quoted(path)} must be a plan.json of version ${PLAN_VERSION}`,
    'other content',
    'create one with `sliced-inference slice`',
  );
}

function faultOf(path: string, error: unknown): PathFault {
  if ((error as NodeJS.ErrnoException).code !== 'EISDIR') return unreadablePath(path, error);
  return { got: 'a folder', advice: 'pass the path of its plan.json' };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Text that is not JSON is not a plan; the caller reports that.
    return undefined;
  }
}
