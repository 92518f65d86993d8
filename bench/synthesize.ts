/** Cuts models and synthesizes stacks in child processes, because CDK's heap would slow down the local cloud's garbage collector. */
import * as path from 'node:path';
import { readPlan } from '../lib/compile/files/read-plan';
import type { SlicePlan } from '../lib/plan/file/plan';
import type { BenchModel } from './inputs';
import { run } from './measure';

/** The command line, as a user starts it. */
export const PROGRAM = path.join(__dirname, '../bundle/program.js');

export interface Subject {
  readonly outdir: string;
  /** The folder that `sliceModel` wrote. */
  readonly slices: string;
  /** Of all functions; by default that of the plan. A slice that needs more than its plan says must be measured, not stopped. */
  readonly memoryMb?: number;
  readonly warmUp?: boolean;
  readonly batches?: readonly BatchSubject[];
}

/** A batch of the objects, or of the lists, below `inputs/bench/`. */
export interface BatchSubject {
  /** Of the construct. */
  readonly name: string;
  readonly itemsPerRun: number;
  readonly concurrency: number;
  /** Whether the requests are in lines. @default false */
  readonly areLines?: boolean;
}

export function synthesize(...subjects: readonly Subject[]): void {
  const script = path.join(__dirname, 'synthesize-child.js');
  run(process.execPath, [script, JSON.stringify(subjects)], { env: { CDK_VALIDATION: 'false' } });
}

/** Runs `sliced-inference slice`, and returns the plan. */
export function sliceModel(
  model: BenchModel,
  slices: number,
  out: string,
  more: readonly string[] = [],
): SlicePlan {
  const flags = ['--slices', String(slices), '--out', out, ...more];
  for (const [name, size] of Object.entries(model.dimensions)) flags.push('--dimension', `${name}=${size}`);
  run(process.execPath, ['--no-warnings', PROGRAM, 'slice', model.file, ...flags]);
  return readPlan(path.join(out, 'plan.json'));
}
