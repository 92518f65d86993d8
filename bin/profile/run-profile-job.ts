/** Runs a job of the profiler in a child process. */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { deadlineMs } from '../../lib/onnx/deadline';
import { builtFile } from '../../lib/host/package-files';
import type { Model } from '../../lib/onnx/model';
import type { ProfileAnswer, ProfileJob } from './job';

/** Lambda's longest timeout for each run, and a slice that is that slow is measured a few times. */
const BASE_TIMEOUT_MS = 60 * 60_000;

/**
 * @param model the model whose slices are measured
 * @returns a failed answer if the process crashes or hangs
 */
export async function runProfileJob(job: ProfileJob, folder: string, model: Model): Promise<ProfileAnswer> {
  const jobFile = path.join(folder, 'job.json');
  const answerFile = path.join(folder, 'answer.json');
  fs.writeFileSync(jobFile, JSON.stringify(job));
  fs.rmSync(answerFile, { force: true });
  const { code, signal } = await run(
    [builtFile('bundle/profile-job.js'), jobFile, answerFile],
    deadlineMs(BASE_TIMEOUT_MS, model),
  );
  if (code === 0 && fs.existsSync(answerFile)) {
    return JSON.parse(fs.readFileSync(answerFile, 'utf8')) as ProfileAnswer;
  }
  return {
    kind: 'failed',
    reason: signal === null ? `an end with exit code ${code}` : `an end by ${signal}`,
  };
}

function run(
  args: readonly string[],
  timeout: number,
): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    // What ONNX Runtime logs to standard error is in the answer too.
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
