/** The options of the client, their defaults and their checks. */
import type { InlineMode } from '../contract/execution';
import { kindOf } from '../lambda/json-values';
import type { InferenceProgress } from './result';
import { MAX_TIMER_MS } from './run/wait';

/**
 * A client of the AWS SDK for JavaScript, version 3: an `SFNClient` or an `S3Client`. Types of the SDK do not appear here, because an
 * application may have none.
 */
export interface AwsClient {
  /** Sends a command, as the clients of the SDK do. */
  send(command: never, options?: { readonly abortSignal?: AbortSignal }): Promise<unknown>;
}

/** How often the client asks for the state of a Standard execution. Each pause is 1.5 times the one before. */
export interface PollInterval {
  /**
   * Milliseconds of the first pause.
   * @default 200
   */
  readonly first?: number;
  /**
   * Milliseconds of the longest pause.
   * @default 5000
   */
  readonly longest?: number;
}

/** Options of a `SlicedInferenceClient`. Times are milliseconds. */
export interface SlicedInferenceClientOptions {
  /**
   * ARN of the pipeline's state machine, which may name an alias or a version, or of a function: `invokeArn` of the construct. Set either
   * this or `functionName`.
   */
  readonly stateMachineArn?: string;
  /**
   * ARN or name of an `InferenceFunction`'s function, such as its `alias.functionArn`. Without an alias or a version, the client calls the alias
   * `live`. The permissions are those of `grantInvoke`.
   */
  readonly functionName?: string;
  /**
   * A `LambdaClient` of the application, for a function. The client leaves it open.
   * @default - one with the SDK's own settings, and the region of the ARN
   */
  readonly lambda?: AwsClient;
  /**
   * An `SFNClient` of the application. The client leaves it open.
   * @default - one with the SDK's own settings, and the region of the ARN
   */
  readonly stepFunctions?: AwsClient;
  /**
   * An `S3Client` of the application. The client leaves it open.
   * @default - one with the SDK's own settings, and the region of the ARN
   */
  readonly s3?: AwsClient;
  /**
   * How long a call waits in all, in milliseconds: for uploads, the execution and the results.
   * @default - the timeout of the state machine and a minute
   */
  readonly waitTimeout?: number;
  /**
   * How long one request to AWS may take, with its repeats by the SDK, in milliseconds. An upload has a second more for each MiB. A
   * download may not stand still for longer. The request that waits for the end of an Express execution has no limit of its own.
   * @default 30000
   */
  readonly requestTimeout?: number;
  /**
   * How often to ask for the state of a Standard execution.
   * @default - pauses from 200 ms to 5 s
   */
  readonly pollInterval?: PollInterval;
  /**
   * Largest results object that the client reads into memory, in bytes.
   * @default 2147483648
   */
  readonly maxResultBytes?: number;
}

/** Options of one call. Times are milliseconds. */
export interface CallOptions {
  /**
   * Stops the wait: the call rejects with the signal's reason. An execution goes on unless `stopOnAbort` is set.
   * @default - the call waits until it has ended or `waitTimeout` is over
   */
  readonly signal?: AbortSignal;
  /**
   * Whether the end of the wait, by the signal or by `waitTimeout`, also stops the execution. Only Standard executions can be stopped:
   * with an Express state machine, the call is refused.
   * @default false
   */
  readonly stopOnAbort?: boolean;
  /**
   * How long the call waits in all, in milliseconds.
   * @default - the client's `waitTimeout`
   */
  readonly waitTimeout?: number;
  /**
   * Called when the execution starts, ends, or starts again because of a deployment, and when requests to Step Functions fail and work
   * again. For a Standard execution, also called for each state that it enters and leaves. An error of this function ends the call.
   * @default - no reports
   */
  readonly onProgress?: (progress: InferenceProgress) => void;
}

/** Options of `infer`. */
export interface InferOptions extends CallOptions {
  /**
   * `auto`: small results come inside the execution's output, others from S3. `s3`: all come from S3. `inline`: they come inside the
   * output and are not in S3; the call fails with `InvalidInput` if they take more than 180 KiB as JSON.
   * @default 'auto'
   */
  readonly results?: ResultsPlace;
}

/** Where a caller wants results. */
export type ResultsPlace = 'auto' | 's3' | 'inline';

const INLINE_MODES: ReadonlyMap<unknown, InlineMode> = new Map<ResultsPlace, InlineMode>([
  ['auto', 'auto'],
  ['s3', 'never'],
  ['inline', 'only'],
]);

/**
 * The field of a request that asks for results in this place.
 * @throws TypeError for a value that is no place
 */
export function inlineMode(results: unknown = 'auto'): InlineMode {
  const mode = INLINE_MODES.get(results);
  if (mode !== undefined) return mode;
  throw badOption('results', "'auto', 's3' or 'inline'", results);
}

/** Milliseconds. */
export const DEFAULT_REQUEST_TIMEOUT = 30_000;

/** Bytes. */
export const DEFAULT_MAX_RESULT_BYTES = 2 ** 31;

/** The client's options with their defaults. */
export interface Settings {
  readonly requestTimeout: number;
  readonly waitTimeout: number | undefined;
  readonly pollInterval: Required<PollInterval>;
  readonly maxResultBytes: number;
}

/** @throws TypeError for an option of the wrong kind */
export function checkedSettings(options: SlicedInferenceClientOptions): Settings {
  const {
    waitTimeout,
    requestTimeout = DEFAULT_REQUEST_TIMEOUT,
    pollInterval = {},
    maxResultBytes = DEFAULT_MAX_RESULT_BYTES,
  } = options;
  const { first = 200, longest = 5000 } = pollInterval;
  checkMilliseconds('waitTimeout', waitTimeout);
  checkMilliseconds('requestTimeout', requestTimeout);
  checkMilliseconds('pollInterval.first', first);
  checkMilliseconds('pollInterval.longest', longest);
  checkWhole('maxResultBytes', maxResultBytes, Number.MAX_SAFE_INTEGER);
  return { requestTimeout, waitTimeout, pollInterval: { first, longest }, maxResultBytes };
}

/** @throws TypeError if the value is neither absent nor a whole number of milliseconds that a timer can take */
export function checkMilliseconds(name: string, value: unknown): void {
  if (value !== undefined) checkWhole(name, value, MAX_TIMER_MS);
}

/** @throws TypeError if the value is no whole number from 1 to `most` */
function checkWhole(name: string, value: unknown, most: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= most) return;
  throw badOption(name, `a whole number from 1 to ${most}`, value);
}

function badOption(name: string, expected: string, value: unknown): TypeError {
  const got = typeof value === 'number' ? String(value) : kindOf(value);
  return new TypeError(`option ${name} must be ${expected}, got ${got}: correct it or leave it out`);
}
