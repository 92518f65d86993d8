/** What the profiler gives to a child process, one process for each slice, and what it answers. */
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
