/** Reads a `plan.json`. Its content may come from a stranger; `plan-check/` checks it. */
import * as fs from 'node:fs';
import { SlicedInferenceError, printable, quoted } from '../errors';
import type { PathFault } from '../host/foreign-path';
import { unreadablePath } from '../host/foreign-path';
import type { SlicePlan } from '../plan/file/plan';
import { PLAN_VERSION } from '../plan/file/plan';
import { checkPlan, isOfThisContract } from './plan-check/check-plan';

/** Largest plan file. A plan of 1,000 slices that read 50 tensors each has about 10 MB. */
export const MAX_PLAN_BYTES = 64 * 2 ** 20;

/** @throws SlicedInferenceError for a file that cannot be read or is not a valid plan of this version */
export function readPlan(path: string): SlicePlan {
  return checkPlan(parseJson(readText(path), path), path);
}

/**
 * Reads the plan of slices that are to be deployed.
 *
 * @throws SlicedInferenceError also if the functions of this version of the library cannot run the slices
 */
export function readDeployablePlan(path: string): SlicePlan {
  const plan = readPlan(path);
  if (isOfThisContract(plan)) return plan;
  const { library } = plan;
  throw new SlicedInferenceError(
    `the slices of plan ${quoted(path)} must be made for the functions of this version of the library`,
    `slices of version ${printable(library)}`,
    'slice the model again with this version; Slicing.fromPlan keeps the cuts',
  );
}

function readText(path: string): string {
  const must = `plan ${quoted(path)} must be a readable file`;
  try {
    const stat = fs.statSync(path);
    // Reading a pipe would wait for its writer, and a device may have no end.
    if (!stat.isFile() && !stat.isDirectory()) {
      throw new SlicedInferenceError(must, 'a pipe or a device', 'pass the path of its plan.json');
    }
    if (stat.size > MAX_PLAN_BYTES) {
      throw new SlicedInferenceError(
        `plan ${quoted(path)} must have at most ${MAX_PLAN_BYTES} bytes`,
        `${stat.size} bytes`,
        'check the path',
      );
    }
    return fs.readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof SlicedInferenceError) throw error;
    const { got, advice } = faultOf(path, error);
    throw new SlicedInferenceError(must, got, advice);
  }
}

function faultOf(path: string, error: unknown): PathFault {
  if ((error as NodeJS.ErrnoException).code !== 'EISDIR') return unreadablePath(path, error);
  return { got: 'a folder', advice: 'pass the path of its plan.json' };
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SlicedInferenceError(
      `plan ${quoted(path)} must be a plan.json of version ${PLAN_VERSION}`,
      text.trim() === '' ? 'an empty file' : 'text that is not JSON',
      'make one with `sliced-inference slice`',
    );
  }
}
