/** A slice and a run in the terms of cost and latency. */

/** Where a slice writes the tensors that later slices read. */
export type Transport = 's3-standard' | 's3-express';

/** The work that a slice brings to its function, whatever memory and transport the function gets. */
export interface SliceDemand {
  /** Bytes of the files that a cold function downloads. */
  readonly fileBytes: number;
  /** The part of `fileBytes` in the graph's file, beside which the weights are an object of their own. @default 0 */
  readonly graphBytes?: number;
  /** Bytes of weights that sessions with prepacking copy for the kernels of products. */
  readonly packedBytes: number;
  /** Bytes of memory for the tensors of a run, which the first run of a session touches for the first time. */
  readonly activationBytes: number;
  /** Seconds of computing on one vCPU of Lambda. */
  readonly coreSeconds: number;
  /** GETs of the objects of earlier slices. */
  readonly gets: number;
  /** GETs of the request's object, if the request is in S3. */
  readonly requestGets: number;
  readonly readBytes: number;
  readonly writeBytes: number;
  /** Bytes of the request that no earlier slice reads. @default - what the slice reads, if it is the first one */
  readonly requestBytes?: number;
  /** The least memory, in MB, with which the function can run the slice. */
  readonly memoryMb: number;
}

export interface StepChoice {
  /** Memory of the function, in MB; at least `SliceDemand.memoryMb`. */
  readonly memoryMb: number;
  /** Threads of ONNX Runtime, the same for all slices of a plan. */
  readonly threads: number;
  /** The transport of the tensors that it reads; `request` for the first slice. */
  readonly readsFrom: Transport | 'request';
  readonly writesTo: Transport;
  /** Whether it writes the results of the run. @default false */
  readonly writesResult?: boolean;
  /** Whether it is called once more, to load beside the first slices. @default - with warm-ups, if it does not read first */
  readonly isWarmedUp?: boolean;
  /** What travels in the state of the execution instead. @default - nothing */
  readonly inState?: InState;
}

/** The part of a slice's tensors that travels in the state of the execution, without requests to S3. */
export interface InState {
  /** Whether the slice answers what it writes. */
  readonly isAnswered: boolean;
  /** GETs of objects whose tensors it reads from its event; a part of `SliceDemand.gets`. */
  readonly gets: number;
  /** Whether it reads no other tensors. */
  readonly readsAll: boolean;
  /** Bytes of these tensors; a part of `SliceDemand.readBytes`. */
  readonly readBytes: number;
  /** Characters that hold them, and the tensors beside them, in its event. */
  readonly characters: number;
}

/** The part of a run's cost and time that one slice causes. Random delays are not included. */
export interface StepCost {
  /** Price of the slice's calls, its duration and its requests to S3 in a run that finds all functions warm. */
  readonly warmDollars: number;
  /** The same in a run that finds all functions cold: initialization and loading are billed too. */
  readonly coldDollars: number;
  /** From the end of the previous slice to the end of this one, when warm. */
  readonly warmMs: number;
  /**
   * From the start of a cold run until a function that was warmed up has loaded the slice. Without a warm-up: what loading adds to
   * the slice's own call, which waits for its tensors meanwhile.
   */
  readonly loadMs: number;
  /** From the end of the previous slice, or of the load that comes last, to the end of this one, in a cold run. */
  readonly coldMs: number;
}

export interface Latency {
  readonly p50: number;
  readonly p95: number;
}

export const QUANTILES: Readonly<Record<keyof Latency, number>> = { p50: 0.5, p95: 0.95 };

export interface RunCost {
  readonly dollars: number;
  readonly latency: Latency;
}

export type Temperature = 'warm' | 'cold' | 'mixed';

/** The share of cold runs, if `mixedShare` of mixed runs is cold. */
export function coldShareAt(temperature: Temperature, mixedShare: number): number {
  return { warm: 0, mixed: mixedShare, cold: 1 }[temperature];
}
