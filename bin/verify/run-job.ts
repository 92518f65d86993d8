/** Runs a job in a child process, and reports a crash or a hang as an error. */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { SlicedInferenceError } from '../../lib/errors';
import { deadlineMs } from '../../lib/onnx/deadline';
import { builtFile } from '../../lib/host/package-files';
import type { Model } from '../../lib/onnx/model';
import type { Job, JobAnswer } from './job';

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
  /** Of the files of the job and its answer. */
  readonly folder: string;
  /** The model that runs, whole or in slices. */
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
  const { code, signal } = await run(
    [builtFile('bundle/verify-job.js'), jobFile, answerFile],
    deadlineMs(BASE_TIMEOUT_MS, model),
  );
  if (code !== 0) {
    const got = signal === null ? `an end with exit code ${code}` : `an end by ${signal}`;
    throw new SlicedInferenceError(what, got, advice);
  }
  const answer = JSON.parse(fs.readFileSync(answerFile, 'utf8')) as JobAnswer;
  if (answer.done) return;
  const line = answer.reason.replaceAll(/\s+/g, ' ').trim();
  const reason = line.length > MAX_REASON_LENGTH ? `${line.slice(0, MAX_REASON_LENGTH - 3)}...` : line;
  if (answer.isUnloadable) throw new SlicedInferenceError(UNLOADABLE.what, reason, UNLOADABLE.advice);
  throw new SlicedInferenceError(
    answer.ranOn === undefined ? what : `${what} (${answer.ranOn})`,
    reason,
    advice,
  );
}

function run(
  args: readonly string[],
  timeout: number,
): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    // Ignore what ONNX Runtime logs to standard error: the answer file has its error message.
    const child = spawn(process.execPath, args, {
      stdio: 'ignore',
      timeout,
      killSignal: 'SIGKILL',
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      resolve({ code, signal });
    });
  });
}
