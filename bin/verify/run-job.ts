/** Runs a job in a child process and tells a crash or a hang from an answer. */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { SlicedInferenceError } from '../../lib/errors';
import { builtFile } from '../../lib/package-files';
import type { Job } from './job';

/** A run that takes longer than a Lambda function may is no candidate for one. */
const TIMEOUT_MS = 15 * 60_000;

/**
 * @param subject how an error calls what is run
 * @returns the index of the candidate inputs that the job used
 * @throws SlicedInferenceError when ONNX Runtime refuses, crashes or hangs
 */
export async function runJob(job: Job, subject: string, folder: string): Promise<number> {
  const jobFile = path.join(folder, `${job.kind}.json`);
  const answerFile = path.join(folder, `${job.kind}.answer.json`);
  fs.writeFileSync(jobFile, JSON.stringify(job));
  const { code, signal } = await run([builtFile('bin/verify/job-child.js'), jobFile, answerFile]);
  if (code !== 0) {
    const got = signal === null ? `an end with exit code ${code}` : `an end by ${signal}`;
    throw new SlicedInferenceError(
      `${subject} must run in ONNX Runtime`,
      got,
      'check that the model runs by itself',
    );
  }
  const answer = JSON.parse(fs.readFileSync(answerFile, 'utf8')) as { used?: number; error?: string };
  if (answer.used !== undefined) return answer.used;
  throw new SlicedInferenceError(
    `${subject} must run in ONNX Runtime`,
    (answer.error ?? '').replaceAll(/\s+/g, ' ').trim(),
    'check the inputs (--inputs, --dimension) and that the model runs by itself',
  );
}

function run(args: readonly string[]): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    // ONNX Runtime logs to standard error; what matters of it is in the answer.
    const child = spawn(process.execPath, args, {
      stdio: 'ignore',
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      resolve({ code, signal });
    });
  });
}
