/** The jobs of the verifier, the whole model or its chained slices: a failure, a crash or a hang is an error. */
import { SlicedInferenceError } from '../../lib/errors';
import { deadlineMs } from '../../lib/onnx/limits';
import type { Model } from '../../lib/onnx/model';
import type { OptimizationLevel } from '../../lib/optimize/level';
import { type Failure, ask } from '../onnx-jobs/ask';
import type { GeneratedInputs } from './seeded-inputs';

export type Job = WholeJob | ChainJob;

/** Paths of safetensors files. */
interface CommonJob {
  readonly inputs: string;
  readonly outputs: string;
}

export interface WholeJob extends CommonJob {
  readonly kind: 'whole';
  readonly threads: number;
  readonly prepacking: boolean;
  /** `all`: as a function of the whole model. `default`: with all of ONNX Runtime's defaults, also for threads and prepacking. */
  readonly optimization: OptimizationLevel | 'all' | 'default';
  readonly modelPath: string;
  readonly outputNames: readonly string[];
  /** If set, the job generates inputs, and writes the first ones that the model runs on to `inputs`. */
  readonly generated?: GeneratedInputs;
}

export interface ChainJob extends CommonJob {
  readonly kind: 'chain';
  readonly threads: number;
  readonly prepacking: boolean;
  readonly slicesFolder: string;
  /** Whether ONNX Runtime optimizes the only slice, as a function of the whole model does. */
  readonly optimizes: boolean;
}

export interface JobAnswer extends Partial<Failure> {
  /** Names, dtypes and shapes of the inputs on which the whole model failed; absent for other failures. */
  readonly ranOn?: string;
}

/** Lambda's longest timeout: a model that runs longer cannot run in a function. */
const BASE_TIMEOUT_MS = 15 * 60_000;

/** The wording of an error: what must run, and what to do if it does not. */
export interface JobWording {
  readonly what: string;
  readonly advice: string;
}

const UNLOADABLE: JobWording = {
  what: 'the library of ONNX Runtime must load on this machine',
  advice: 'install the library that is missing, or install onnxruntime-node again',
};

/** @throws SlicedInferenceError when ONNX Runtime refuses, crashes or hangs */
export async function runJob(
  job: Job,
  { what, advice }: JobWording,
  {
    folder,
    model,
    node,
  }: { readonly folder: string; readonly model: Model; readonly node: readonly string[] },
): Promise<JobAnswer> {
  const answer = await ask<JobAnswer>(job, folder, deadlineMs(BASE_TIMEOUT_MS, model), node);
  if (answer.failure === undefined) return answer;
  const wording = answer.isUnloadable ? UNLOADABLE : { what, advice };
  const where = 'ranOn' in answer ? ` (${answer.ranOn})` : '';
  throw new SlicedInferenceError(`${wording.what}${where}`, answer.failure, wording.advice);
}
