/** What the state machine sends to a slice function and what the function answers. */
import type { ExecutionOutputs, ObjectReference, SliceTiming } from './execution';
import type { CONTRACT_VERSION } from './version';

/** The event of a task: what the state machine sends to a slice function. */
export interface SliceEvent {
  readonly version: typeof CONTRACT_VERSION;
  /**
   * Hexadecimal SHA-256 over everything that the bits of a result depend on: the plan's own digest, the code with ONNX
   * Runtime, the processor architecture, the number of threads and the transport. A function of another deployment
   * answers `PlanChanged`, so that a run never mixes two models.
   */
  readonly deploymentDigest: string;
  /** Identifies the run: the last two segments of the execution's ARN joined by `/`. */
  readonly run: string;
  /** The execution's input, unchecked. Sent to the first and the last slice and to those that read inputs. */
  readonly request?: unknown;
  /** Only load the slice, for a later call of this run. */
  readonly warmUp?: true;
}

/** The answer to a warm-up. */
export interface WarmUpAnswer {
  readonly slice: number;
  /** Whether this call loaded the weights and created the session. */
  readonly cold: boolean;
  /** 0 when warm. */
  readonly loadMs: number;
}

/** The answer to a call that ran the slice. */
export interface SliceAnswer {
  readonly slice: number;
  /** The object that this slice wrote, or found already written by an earlier attempt. */
  readonly object: ObjectReference;
  readonly timing: SliceTiming;
  /** Last slice only. */
  readonly outputs?: ExecutionOutputs;
}
