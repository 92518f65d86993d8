/** What the verifier asks of a child process: a run of the whole model or of its chained slices. */
import type { OptimizationLevel } from '../../lib/optimize/level';
import type { MadeUpInputs } from './seeded-inputs';

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
  /** When given, `inputs` is written: with the first inputs made up this way that the model runs on. */
  readonly madeUp?: MadeUpInputs;
}

export interface ChainJob extends CommonJob {
  readonly kind: 'chain';
  readonly threads: number;
  /** Folder of a written plan. */
  readonly slicesFolder: string;
}

/** A run of the whole model as its users run it alone: with all of ONNX Runtime's defaults. */
export interface DefaultJob extends CommonJob {
  readonly kind: 'default';
  readonly modelPath: string;
  readonly outputNames: readonly string[];
}

export type JobAnswer =
  | { readonly done: true }
  | {
      readonly done: false;
      /** What ONNX Runtime said. */
      readonly reason: string;
      /** The inputs that it said it of; absent when it did not come to that. */
      readonly ranOn?: string;
    };
