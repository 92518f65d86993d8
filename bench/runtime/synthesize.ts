/** Synthesizes stacks in a child process, because CDK's heap would slow down the local cloud's garbage collector. */
import * as path from 'node:path';
import { run } from '../measure';

interface PipelineSubject {
  readonly outdir: string;
  readonly modelPath: string;
  /** How many, or the plan file with the cuts. */
  readonly slices: number | string;
  readonly warmUp: 'always' | 'never';
  /** @default 'never' */
  readonly consolidation?: 'always' | 'never';
  /** @default 'express' */
  readonly stateMachineType?: 'express' | 'standard';
  /** @default false: what the benchmarks measure and predict is the way through S3 */
  readonly tensorsInState?: boolean;
  /** Sizes of symbolic dimensions. */
  readonly dimensions?: Readonly<Record<string, number>>;
}

interface NaiveSubject {
  readonly outdir: string;
  /** Folder with the slices that `sliced-inference slice` wrote. */
  readonly slicesFolder: string;
}

export type Subject = PipelineSubject | NaiveSubject;

/** @param cache folder for the slicing cache, instead of the user's */
export function synthesize(subjects: readonly Subject[], cache: string): void {
  run(process.execPath, [path.join(__dirname, 'synthesize-child.js'), JSON.stringify(subjects)], {
    SLICED_INFERENCE_CACHE: cache,
    CDK_VALIDATION: 'false',
  });
}
