/** Writes the slices of a compiled model, which completes the digests in its plan. */
import * as path from 'node:path';
import type { CompiledModel } from '../../lib/emit/slice';
import { writeSlices } from '../../lib/emit/write';
import type { SlicePlan } from '../../lib/plan/file/plan';
import { temporaryFolder } from './model-builder';

/** Writes the slices into a new folder; `file` is the path of their `plan.json`. */
export function writtenPlan(compiled: CompiledModel): { plan: SlicePlan; folder: string; file: string } {
  const folder = path.join(temporaryFolder(), 'slices');
  return { plan: writeSlices(compiled, folder), folder, file: path.join(folder, 'plan.json') };
}
