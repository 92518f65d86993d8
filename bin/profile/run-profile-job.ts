/** The jobs of the profiler, one child process for each, what the process answers, and how it is run. */
import { deadlineMs } from '../../lib/onnx/limits';
import type { Model } from '../../lib/onnx/model';
import { type Failure, ask } from '../onnx-jobs/ask';
import type { KernelSpeeds } from '../../lib/compute-time/kernel-class';
import type { SliceEvents } from './events';

export type ProfileJob = SpeedJob | SliceJob;

/** Measures how fast the machine is. */
export interface SpeedJob {
  readonly kind: 'speed';
  /** For the models of `kernelModels` and the files of ONNX Runtime's profiler. */
  readonly folder: string;
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

export interface SpeedAnswer {
  readonly speeds: KernelSpeeds;
}

export interface SliceAnswer {
  readonly events: SliceEvents;
  /** By run: seconds without the profiler; with one thread, of the processor. */
  readonly seconds: readonly number[];
  /** By run: seconds of a call of the empty model. */
  readonly callSeconds: readonly number[];
}

/** Lambda's longest timeout for each run, and a slice that is that slow is measured a few times. */
const BASE_TIMEOUT_MS = 60 * 60_000;

/** @param model the model whose slices are measured */
export function runProfileJob<Answer extends SpeedAnswer | SliceAnswer>(
  job: ProfileJob,
  folder: string,
  model: Model,
): Promise<Answer | Failure> {
  return ask<Answer>('profile-job', job, folder, deadlineMs(BASE_TIMEOUT_MS, model));
}
