/** What the verifier asks of a child process: a run of the whole model or of its chained slices. */

export type Job = WholeJob | ChainJob;

interface CommonJob {
  /** Threads of ONNX Runtime. */
  readonly threads: number;
  /** Safetensors file to write the outputs to. */
  readonly outputs: string;
}

export interface WholeJob extends CommonJob {
  readonly kind: 'whole';
  readonly modelPath: string;
  /** Safetensors files of inputs; the first that the model runs on is used. */
  readonly candidates: readonly string[];
  readonly outputNames: readonly string[];
}

export interface ChainJob extends CommonJob {
  readonly kind: 'chain';
  /** Folder of a written plan. */
  readonly slicesFolder: string;
  /** Safetensors file of the inputs. */
  readonly inputs: string;
}

/** `used` is the index of the candidate that the outputs were made from; 0 for a chain. */
export type JobAnswer = { readonly used: number } | { readonly error: string };
