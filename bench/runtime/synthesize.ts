/** Synthesizes the stacks of a bench in a process of its own: CDK's heap would slow the local cloud's collector down. */
import { spawnSync } from 'node:child_process';
import * as path from 'node:path';

interface PipelineSubject {
  readonly outdir: string;
  readonly modelPath: string;
  readonly slices: number;
  readonly warmUp: 'always' | 'never';
}

interface NaiveSubject {
  readonly outdir: string;
  /** Folder of slices that `sliced-inference slice` wrote. */
  readonly slicesFolder: string;
}

export type Subject = PipelineSubject | NaiveSubject;

/** @param cache folder that takes the place of the user's cache */
export function synthesize(subjects: readonly Subject[], cache: string): void {
  const { status, stderr } = spawnSync(
    process.execPath,
    [path.join(__dirname, 'synthesize-child.js'), JSON.stringify(subjects)],
    {
      env: { ...process.env, SLICED_INFERENCE_CACHE: cache, CDK_VALIDATION: 'false' },
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    },
  );
  if (status !== 0) throw new Error(stderr);
}
