/** Synthesizes the stacks of a bench in a process of its own: CDK's heap would slow the local cloud's collector down. */
import { spawnSync } from 'node:child_process';
import { Slicing, WarmUp } from '../../lib';
import { naiveAssembly, pipelineAssembly } from './assemblies';

export interface PipelineSubject {
  readonly outdir: string;
  readonly modelPath: string;
  readonly slices: number;
  readonly warmUp: 'always' | 'never';
}

export interface NaiveSubject {
  readonly outdir: string;
  /** Folder of slices that `sliced-inference slice` wrote. */
  readonly slicesFolder: string;
}

export type Subject = PipelineSubject | NaiveSubject;

/** @param cache folder that takes the place of the user's cache */
export function synthesize(subjects: readonly Subject[], cache: string): void {
  const { status, stderr } = spawnSync(process.execPath, [__filename, JSON.stringify(subjects)], {
    env: { ...process.env, SLICED_INFERENCE_CACHE: cache, CDK_VALIDATION: 'false' },
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(stderr);
}

function build(subject: Subject): void {
  if ('slicesFolder' in subject) {
    naiveAssembly(subject.outdir, subject.slicesFolder);
    return;
  }
  const { outdir, modelPath, slices, warmUp } = subject;
  pipelineAssembly(outdir, {
    modelPath,
    slicing: Slicing.count(slices),
    warmUp: warmUp === 'always' ? WarmUp.ALWAYS : WarmUp.NEVER,
  });
}

if (require.main === module) {
  const [subjects] = process.argv.slice(2);
  for (const subject of JSON.parse(subjects) as Subject[]) build(subject);
}
