/**
 * Checks the event of a slice function. Only the pipeline's state machine is sure to send a valid one; anyone with permission
 * can invoke the function.
 */
import { ERROR_NAMES } from '../../contract/failures';
import { MAX_EVENT_TENSORS, type SliceEvent } from '../../contract/slice-event';
import { CONTRACT_VERSION } from '../../contract/version';
import { invalidInput, NamedFailure, sliceFailed } from '../errors';
import { isRecord, kindOf } from '../json-values';
import type { LoggedCall } from '../telemetry/telemetry';

/**
 * A name of Step Functions: of a state machine, of an execution, or the label of a distributed map.
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
 */
const NAME = /^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}\p{Surrogate}\u{fffe}\u{ffff}\u{10ffff}]{1,80}$/u;

/**
 * Number of names in a run: name and UUID in an Express execution; state machine, name and start in a Standard one; in a
 * fragment in a distributed map, the state machine, the map's label, and two UUIDs.
 * https://docs.aws.amazon.com/step-functions/latest/dg/concepts-examine-map-run.html
 */
const [FEWEST_NAMES, MOST_NAMES] = [2, 4];

type Fields = Partial<Record<keyof SliceEvent, unknown>>;

/**
 * @throws NamedFailure `SliceFailed` if no state machine sends such an event, `PlanChanged` if the run belongs to another
 * deployment, `InvalidInput` if the execution has a name that keys cannot have
 */
export function checkEvent(
  event: unknown,
  { deploymentDigest }: { readonly deploymentDigest: string },
): void {
  const { version, run, warmUp, ifWarm, load, askedAt, tensors, maxTensors, pack, ...rest } = fieldsOf(event);
  const marks = [warmUp, ifWarm, load].filter((mark) => mark !== undefined);
  const isOneKind = marks.length <= 1 && marks.every((mark) => mark === true);
  const isTimed = (load === true) === Number.isFinite(askedAt);
  // `tensor-flow/state-tensors.ts` checks the texts that the slice reads.
  const isOfSlice = (tensors === undefined || isRecord(tensors)) && isTensorLimit(maxTensors) && isPack(pack);
  if (version !== CONTRACT_VERSION || !isRun(run) || !isOneKind || !isTimed || !isOfSlice) {
    throw sliceFailed(
      "the event does not come from this pipeline's state machine: start the state machine instead of the function",
    );
  }
  if (run.split('/').some((name) => name === '.' || name === '..')) {
    throw invalidInput(
      'an execution must not be named . or .., because keys in S3 contain its name: rename it',
    );
  }
  checkDeployment(rest.deploymentDigest, { deploymentDigest });
}

/** @throws NamedFailure `PlanChanged` if the run belongs to another deployment */
export function checkDeployment(
  wanted: unknown,
  { deploymentDigest }: { readonly deploymentDigest: string },
): void {
  if (wanted === deploymentDigest) return;
  throw new NamedFailure(ERROR_NAMES.planChanged, {
    message: 'this function belongs to another deployment than the run: start the execution again',
    expected: deploymentDigest,
    got: typeof wanted === 'string' && /^\w{1,64}$/.test(wanted) ? wanted : kindOf(wanted),
  });
}

/** Lambda sets it before each call: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader */
const TRACE_VARIABLE = '_X_AMZN_TRACE_ID';

/** The event may be anything, so the log repeats only fields that a state machine can have made. */
export function loggedCall(
  event: unknown,
  context: { readonly awsRequestId?: string } | undefined,
  variables: Readonly<Record<string, string | undefined>>,
): LoggedCall {
  const { executionArn, run } = fieldsOf(event);
  const requestId = context?.awsRequestId;
  const traceId = /(?:^|;)\s*Root=([0-9a-f-]{1,64})/.exec(variables[TRACE_VARIABLE] ?? '')?.[1];
  return {
    ...(isExecutionArn(executionArn) && { executionArn }),
    ...(isRun(run) && { run }),
    ...(requestId !== undefined && { requestId }),
    ...(traceId !== undefined && { traceId }),
  };
}

export function isWarmUp(event: unknown): boolean {
  return fieldsOf(event).warmUp === true;
}

function fieldsOf(event: unknown): Fields {
  return isRecord(event) ? event : {};
}

/** The function reads its items as it reads requests. Its permissions end below `outputs/`. */
function isPack(value: unknown): boolean {
  if (value === undefined) return true;
  if (!isRecord(value)) return false;
  const { until, items = [], source = {}, handedOn = [], resultsPrefix = RESULTS, salt = '' } = value;
  return (
    Number.isFinite(until) &&
    isItems(items) &&
    isRecord(source) &&
    Array.isArray(handedOn) &&
    handedOn.every((name) => typeof name === 'string') &&
    typeof resultsPrefix === 'string' &&
    RESULTS_PREFIX.test(resultsPrefix) &&
    typeof salt === 'string' &&
    /^\w{0,32}$/.test(salt)
  );
}

function isItems(items: unknown): boolean {
  return Array.isArray(items) && items.every((item) => isRecord(item) && Number.isSafeInteger(item.index));
}

const RESULTS = 'outputs/any/';
const RESULTS_PREFIX = /^outputs\/(?:(?!\.{1,2}\/)[\w.+=@-]+\/)+$/;

function isTensorLimit(value: unknown): boolean {
  if (value === undefined) return true;
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MAX_EVENT_TENSORS;
}

/** Whether the state machine can have made the name. It becomes a part of keys in S3. */
function isRun(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > MOST_CHARACTERS) return false;
  const names = value.split('/');
  return names.length >= FEWEST_NAMES && names.length <= MOST_NAMES && names.every((name) => NAME.test(name));
}

/** A character above U+FFFF counts twice. */
const MOST_CHARACTERS = 2 * MOST_NAMES * 81;

/**
 * `arn:aws:states:region:account:execution:machine:name`; a child of a distributed map has its label after a slash:
 * https://docs.aws.amazon.com/step-functions/latest/dg/auth-and-access-control-sfn.html
 */
const EXECUTION_ARN = /^arn:[a-z-]+:states:[a-z0-9-]+:\d{12}:(?:execution|express):/;

function isExecutionArn(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > MOST_CHARACTERS) return false;
  const kind = EXECUTION_ARN.exec(value);
  return (
    kind !== null &&
    value
      .slice(kind[0].length)
      .split(/[:/]/)
      .every((name) => NAME.test(name))
  );
}
