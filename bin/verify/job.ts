/** What the verifier asks of a child process: a run of the whole model or of its chained slices. */
import type { MadeUpInputs } from './seeded-inputs';

export type Job = WholeJob | ChainJob;

interface CommonJob {
  /** Threads of ONNX Runtime. */
  readonly threads: number;
  /** Safetensors file of the inputs. */
  readonly inputs: string;
  /** Safetensors file to write the outputs to. */
  readonly outputs: string;
}

export interface WholeJob extends CommonJob {
  readonly kind: 'whole';
  readonly modelPath: string;
  readonly outputNames: readonly string[];
  /** When given, `inputs` is written: with the first inputs made up this way that the model runs on. */
  readonly madeUp?: MadeUpInputs;
}

export interface ChainJob extends CommonJob {
  readonly kind: 'chain';
  /** Folder of a written plan. */
  readonly slicesFolder: string;
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
