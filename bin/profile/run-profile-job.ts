/** The jobs of the profiler, one child process for each, what the process answers, and how it is run. */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { deadlineMs } from '../../lib/onnx/limits';
import { builtFile } from '../../lib/host/packages';
import type { Model } from '../../lib/onnx/model';
import type { SliceEvents } from './events';

export type ProfileJob = SpeedJob | SliceJob;

/** Measures how fast the machine is. */
export interface SpeedJob {
  readonly kind: 'speed';
  /** Path of the model of `productModel`. */
  readonly product: string;
}

/** Measures a slice. */
export interface SliceJob {
  readonly kind: 'slice';
  /** Path of a slice whose nodes have labels. */
  readonly model: string;
  /** Path of the model of `emptyModel`. */
  readonly empty: string;
  /** See `NodeLabels`. */
  readonly mark: string;
  readonly threads: number;
  /** Number of runs, the first not counted. */
  readonly runs: number;
  /** Safetensors file of the inputs. */
  readonly inputs: string;
  /** Safetensors file to write the outputs to. */
  readonly outputs: string;
  readonly outputNames: readonly string[];
  /** Folder for the file of ONNX Runtime's profiler. */
  readonly folder: string;
}

export type ProfileAnswer = SpeedAnswer | SliceAnswer | FailedAnswer;

export interface SpeedAnswer {
  readonly kind: 'speed';
  readonly flopsPerSecond: number;
}

export interface SliceAnswer {
  readonly kind: 'slice';
  readonly events: SliceEvents;
  /** By run: seconds without the profiler; with one thread, of the processor. */
  readonly seconds: readonly number[];
  /** By run: seconds of a call of the empty model. */
  readonly callSeconds: readonly number[];
  readonly peakBytes: number;
}

export interface FailedAnswer {
  readonly kind: 'failed';
  /** ONNX Runtime's message. */
  readonly reason: string;
}

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
  const args = [builtFile('bundle/profile-job.js'), jobFile, answerFile];
  const reason = await badEnd(args, deadlineMs(BASE_TIMEOUT_MS, model));
  if (reason !== undefined) return { kind: 'failed', reason };
  return JSON.parse(fs.readFileSync(answerFile, 'utf8')) as ProfileAnswer;
}

/** How the process ended, if not well. */
function badEnd(args: readonly string[], timeout: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    // What ONNX Runtime logs to standard error is in the answer too.
    const child = spawn(process.execPath, args, { stdio: 'ignore', timeout, killSignal: 'SIGKILL' });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (code === 0) resolve(undefined);
      else resolve(signal === null ? `an end with exit code ${code}` : `an end by ${signal}`);
    });
  });
}
