/** The jobs that the verifier gives to a child process: a run of the whole model or of its chained slices. */
import type { OptimizationLevel } from '../../lib/optimize/level';
import type { GeneratedInputs } from './seeded-inputs';

export type Job = WholeJob | ChainJob | DefaultJob;

interface CommonJob {
  /** Safetensors file of the inputs. */
  readonly inputs: string;
  /** Safetensors file to write the outputs to. */
  readonly outputs: string;
}

export interface WholeJob extends CommonJob {
  readonly kind: 'whole';
  /** Threads of ONNX Runtime. */
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
  /** Folder of a written plan. */
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
      /** Set if ONNX Runtime could not be loaded. */
      readonly isUnloadable?: true;
      /** Names, dtypes and shapes of the inputs on which the whole model failed; absent for other failures. */
      readonly ranOn?: string;
    };
