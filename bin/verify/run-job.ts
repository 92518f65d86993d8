/** Runs a job of the verifier, the whole model or its chained slices, in a child process, and reports a crash or a hang as an error. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { SlicedInferenceError } from '../../lib/errors';
import { deadlineMs } from '../../lib/onnx/limits';
import { builtFile } from '../../lib/host/packages';
import type { Model } from '../../lib/onnx/model';
import type { OptimizationLevel } from '../../lib/optimize/level';
import type { GeneratedInputs } from './seeded-inputs';

export type Job = WholeJob | ChainJob | DefaultJob;

/** Paths of safetensors files. */
interface CommonJob {
  readonly inputs: string;
  readonly outputs: string;
}

export interface WholeJob extends CommonJob {
  readonly kind: 'whole';
  readonly threads: number;
  readonly optimization: OptimizationLevel;
  readonly modelPath: string;
  readonly outputNames: readonly string[];
  /** If set, the job generates inputs, and writes the first ones that the model runs on to `inputs`. */
  readonly generated?: GeneratedInputs;
}

export interface ChainJob extends CommonJob {
  readonly kind: 'chain';
  readonly threads: number;
  readonly slicesFolder: string;
}

/** A run of the whole model with all of ONNX Runtime's defaults. */
export interface DefaultJob extends CommonJob {
  readonly kind: 'default';
  readonly modelPath: string;
  readonly outputNames: readonly string[];
}

export type JobAnswer =
  | { readonly done: true }
  | {
      readonly done: false;
      /** ONNX Runtime's error message, or the system's if it could not load ONNX Runtime. */
      readonly reason: string;
      readonly isUnloadable?: true;
      /** Names, dtypes and shapes of the inputs on which the whole model failed; absent for other failures. */
      readonly ranOn?: string;
    };

/** Lambda's longest timeout: a model that runs longer cannot run in a function. */
const BASE_TIMEOUT_MS = 15 * 60_000;

/** Some of ONNX Runtime's messages contain whole stack traces; the cause is at their beginning. */
const MAX_REASON_LENGTH = 400;

/** The wording of an error: what must run, and what to do if it does not. */
export interface JobWording {
  readonly what: string;
  readonly advice: string;
}

export interface JobPlace {
  readonly folder: string;
  readonly model: Model;
}

const UNLOADABLE: JobWording = {
  what: 'the library of ONNX Runtime must load on this machine',
  advice: 'install the library that is missing, or install onnxruntime-node again',
};

/** @throws SlicedInferenceError when ONNX Runtime refuses, crashes or hangs */
export async function runJob(
  job: Job,
  { what, advice }: JobWording,
  { folder, model }: JobPlace,
): Promise<void> {
  const jobFile = path.join(folder, `${job.kind}.json`);
  const answerFile = path.join(folder, `${job.kind}.answer.json`);
  fs.writeFileSync(jobFile, JSON.stringify(job));
  // Ignore what ONNX Runtime logs to standard error: the answer file has its error message.
  const child = spawn(process.execPath, [builtFile('bundle/verify-job.js'), jobFile, answerFile], {
    stdio: 'ignore',
    timeout: deadlineMs(BASE_TIMEOUT_MS, model),
    killSignal: 'SIGKILL',
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  if (code !== 0) {
    const got = signal === null ? `an end with exit code ${code}` : `an end by ${signal}`;
    throw new SlicedInferenceError(what, got, advice);
  }
  const answer = JSON.parse(fs.readFileSync(answerFile, 'utf8')) as JobAnswer;
  if (answer.done) return;
  const line = answer.reason.replaceAll(/\s+/g, ' ').trim();
  const reason = line.length > MAX_REASON_LENGTH ? `${line.slice(0, MAX_REASON_LENGTH - 3)}...` : line;
  const wording = answer.isUnloadable ? UNLOADABLE : { what, advice };
  const where = answer.ranOn === undefined ? '' : ` (${answer.ranOn})`;
  throw new SlicedInferenceError(`${wording.what}${where}`, reason, wording.advice);
}
