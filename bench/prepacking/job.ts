/** What a process measures. */
import type { BenchModel } from '../inputs';

export const MODES = ['not packed', 'packed', 'bare', 'default'] as const;
/**
 * `packed` and `not packed` are sessions of slice functions, `bare` is one of ONNX Runtime with the same options, `default` one with its
 * defaults. All have one thread.
 */
export type Mode = (typeof MODES)[number];

export interface Job {
  readonly model: BenchModel;
  readonly mode: Mode;
  readonly runs: number;
}

/** Milliseconds are processor time of the process, MB are 10^6 bytes. */
export interface Measured {
  readonly loadMs: number;
  readonly firstMs: number;
  readonly warmMs: number;
  readonly peakMb: number;
}
