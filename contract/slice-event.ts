/** The event that the state machine sends to a slice function, and the function's answers. */
import type { PackEvent, PackOutcome } from './batch-pack';
import type { CallTiming, ExecutionOutputs, ObjectReference } from './execution';
import type { CONTRACT_VERSION } from './version';

/**
 * Largest request in an event, in bytes of its JSON. Step Functions passes at most 256 KiB to a function, and the other
 * fields of the event must fit too: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
 */
export const MAX_REQUEST_BYTES = 255 * 1024;

/** Stands for a request above `MAX_REQUEST_BYTES`, so that a function can refuse it with a clear message. */
export interface OversizedRequest {
  readonly requestBytes: number;
}

/**
 * Most characters of all tensors of earlier slices in one event, as `StateTensors` encodes them. Beside them, the event holds a
 * request of at most `MAX_REQUEST_WITH_TENSORS`, and less than 8 KiB of other fields.
 */
export const MAX_EVENT_TENSORS = 96 * 1024;

/**
 * Largest request, in bytes of its JSON, of a run whose tensors travel in the state together with the request. JSONata shortens numbers to
 * 15 digits before the bytes are counted, so the request itself may have a fifth more.
 */
export const MAX_REQUEST_WITH_TENSORS = 128 * 1024;

/** Stands for the tensors of a slice that wrote them to S3. No file of tensors is as short in base64. */
export const IN_S3 = 's3';

/**
 * The tensors that a slice hands on: a safetensors file in base64, with the checksums and the metadata that the slice would write to
 * S3, or `IN_S3`.
 */
export type StateTensors = string;

/** The event of a slice function. */
export interface SliceEvent {
  readonly version: typeof CONTRACT_VERSION;
  /**
   * Hexadecimal SHA-256 over everything that a result depends on: the plan's own digest, the code with ONNX Runtime, the
   * processor architecture, the number of threads, and the zone of the tensor store. A function of another
   * deployment fails with `PlanChanged`, so a run never mixes two models.
   */
  readonly deploymentDigest: string;
  /**
   * Identifies the run: the last two segments of the execution's ARN joined by `/`. In a Standard execution, its start in
   * milliseconds follows; in a fragment, a UUID. Functions refuse other names: see `lambda/request/event-check.ts`.
   */
  readonly run: string;
  /** ARN of the execution, for the lines of logs only. Events that state machines do not send may lack it. */
  readonly executionArn?: string;
  /**
   * The execution's input, unchecked, or an `OversizedRequest`. The first slice, the last slice and slices that read inputs receive it.
   */
  readonly request?: unknown;
  /**
   * By index of an earlier slice: its tensors, as that slice answered. A slice that is not listed wrote its tensors to S3.
   */
  readonly tensors?: Readonly<Record<string, StateTensors>>;
  /**
   * The most characters with which the function may answer its tensors as `StateTensors`; it writes more to S3. Absent if no state
   * carries them.
   */
  readonly maxTensors?: number;
  /** Of a batch: the items that the function computes instead of a request. */
  readonly pack?: PackEvent;
  /** Marks a warm-up: the function only loads the slice, for a later call of this run. */
  readonly warmUp?: true;
  /** Asks the function of the whole model to run the request if it has loaded the model, and otherwise to say so at once. */
  readonly ifWarm?: true;
  /** Tells the function of the whole model to load it for later runs. The call is asynchronous: nobody reads its answer. */
  readonly load?: true;
  /** Of `load`: when the run asked whether the function is warm, in milliseconds since the Unix epoch. */
  readonly askedAt?: number;
}

/** The answer to `ifWarm` of a function that has not loaded the whole model. */
export interface ColdAnswer {
  readonly cold: true;
}

export interface LoadAnswer {
  /**
   * `now`: this call loaded the whole model. `before`: it was loaded already. `elsewhere`: another sandbox is loading it, or has
   * loaded it since the run asked, so this one does not.
   */
  readonly loaded: 'now' | 'before' | 'elsewhere';
  /** Milliseconds to fetch the model's files and create the session; 0 if this call did not load. */
  readonly loadMs: number;
}

export interface WarmUpAnswer {
  readonly slice: number;
  /** Whether this call loaded the weights and created the session. */
  readonly cold: boolean;
  /** Milliseconds to fetch the slice's files and create the session; 0 if the slice was loaded already. */
  readonly loadMs: number;
}

/** The answer to a call that ran the slice, or the whole model. */
export interface SliceAnswer {
  readonly slice: number;
  /**
   * The object with the slice's outputs, written by this attempt or an earlier one. Absent if nothing was written: the outputs are in
   * `tensors` or inline in `outputs`.
   */
  readonly object?: ObjectReference;
  /** Only if the event has `maxTensors`. */
  readonly tensors?: StateTensors;
  readonly timing: CallTiming;
  /** Last slice only. */
  readonly outputs?: ExecutionOutputs;
  /** Of a batch: how many items the call computed. */
  readonly items?: number;
  /** Of the last slice, if the event has a pack. */
  readonly pack?: PackOutcome;
}
