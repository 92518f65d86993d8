/** What a state machine says about its pipeline. Anyone can write the comment that has it, so everything is checked. */
import { type PipelineSignature, SIGNATURE_KEY } from '../../contract/signature';
import { isRecord, fieldValue, type JsonRecord, parsedRecord } from '../../lambda/json-values';
import { MAX_CALL_BYTES, MAX_CALL_TENSOR_BYTES } from '../../contract/direct-call';
import { MAX_INLINE_RESULT_BYTES } from '../../contract/execution';
import { MAX_REQUEST_BYTES } from '../../contract/slice-event';
import { type Check, isText, listOf, recordOf, textLike } from '../checked-fields';
import { InferenceError } from '../errors';
import { isDataType } from '../../lambda/request/inline-tensor';
import { CONTRACT_VERSION } from '../../contract/version';

/** Limits of calls. Sizes are bytes. */
export interface PipelineLimits {
  /** Largest request as JSON. The client puts larger tensors into S3. */
  readonly requestBytes: number;
  /** Largest results as JSON inside an execution's output. With more than 100 slices it is lower. */
  readonly inlineResultBytes: number;
  /** Largest input of an execution as JSON: of `invoke`. */
  readonly executionInputBytes: number;
  /** How long an execution may last, in seconds; absent if the state machine has no timeout. */
  readonly executionSeconds?: number;
}

/** Of a state machine, or a function without one. */
export type MachineType = 'EXPRESS' | 'STANDARD' | 'FUNCTION';

/** What calls need to know of any state machine, also of one that has a pipeline as a part. */
export interface MachineDescription {
  readonly type: MachineType;
  readonly definition: string;
  readonly executionSeconds: number | undefined;
  /** As the comment states it, unchecked; `undefined` of a state machine that is not that of a pipeline. */
  readonly signature: JsonRecord | undefined;
}

/** What `describe` returns. */
export interface PipelineDescription {
  /** As the client was given it. Of a function, its name or ARN. */
  readonly stateMachineArn: string;
  /** An Express execution takes at most five minutes, a Standard one at most a year, and a call of a function at most 15 minutes. */
  readonly type: MachineType;
  /** Name of the bucket of requests and results. */
  readonly bucket: string;
  /** The tensors of requests and results, and what identifies the model. */
  readonly signature: PipelineSignature;
  /** The largest requests and results, and the longest run. */
  readonly limits: PipelineLimits;
}

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html */
export const MAX_DEFINITION_CHARACTERS = 1_048_576;

/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
export const MAX_EXECUTION_DATA_BYTES = 262_144;

/** The longest execution of an Express state machine, in seconds. Source: the quotas above. */
const MAX_EXPRESS_SECONDS = 300;

/** Of a call: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const MAX_FUNCTION_SECONDS = 900;

const MACHINE_LIMITS = {
  requestBytes: MAX_REQUEST_BYTES,
  inlineResultBytes: MAX_INLINE_RESULT_BYTES,
  executionInputBytes: MAX_EXECUTION_DATA_BYTES,
};
const FUNCTION_LIMITS = {
  requestBytes: MAX_CALL_BYTES,
  inlineResultBytes: MAX_CALL_TENSOR_BYTES,
  executionInputBytes: MAX_CALL_BYTES,
};

const LONGEST_SECONDS: Readonly<Record<MachineType, number | undefined>> = {
  EXPRESS: MAX_EXPRESS_SECONDS,
  STANDARD: undefined,
  FUNCTION: MAX_FUNCTION_SECONDS,
};

export interface Described {
  readonly definition?: string | undefined;
  readonly type?: string | undefined;
}

export function readDescription(stateMachineArn: string, described: Described): PipelineDescription {
  const { type, executionSeconds, signature: found } = readMachine(stateMachineArn, described);
  if (found === undefined) throw notAPipeline(stateMachineArn, 'a comment without a signature');
  const { version } = found;
  if (version !== CONTRACT_VERSION)
    throw notAPipeline(stateMachineArn, `a signature of version ${fieldValue(version)}`);
  if (!isSignature(found)) throw notAPipeline(stateMachineArn, 'a malformed signature');
  const signature = found as unknown as PipelineSignature;
  return {
    stateMachineArn,
    type,
    bucket: signature.bucket,
    signature,
    limits: {
      ...(type === 'FUNCTION' ? FUNCTION_LIMITS : MACHINE_LIMITS),
      ...(executionSeconds !== undefined && { executionSeconds }),
    },
  };
}

/** @param key of the signature in the comment */
export function readMachine(
  stateMachineArn: string,
  { definition, type }: Described,
  key = SIGNATURE_KEY,
): MachineDescription {
  if (definition === undefined || definition.length > MAX_DEFINITION_CHARACTERS) {
    throw notAPipeline(stateMachineArn, 'no definition that can be read');
  }
  if (type !== 'EXPRESS' && type !== 'STANDARD' && type !== 'FUNCTION')
    throw notAPipeline(stateMachineArn, 'another type');
  const { Comment: comment, TimeoutSeconds: timeout } = parsedRecord(definition) ?? {};
  const signature = typeof comment === 'string' ? parsedRecord(comment)?.[key] : undefined;
  const executionSeconds = typeof timeout === 'number' && timeout > 0 ? timeout : LONGEST_SECONDS[type];
  return { type, definition, executionSeconds, signature: isRecord(signature) ? signature : undefined };
}

function notAPipeline(name: string, got: string): InferenceError {
  const [what, advice] = name.includes(':stateMachine:')
    ? [
        'the state machine of a SlicedInferencePipeline',
        'check the ARN, use invoke for your own state machine',
      ]
    : ['that of an InferenceFunction', 'check the name'];
  const message = `${name} must be ${what}, got ${got}: ${advice}, or deploy with this version of the package`;
  return new InferenceError('NotAPipeline', message, { got });
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
export const isBucket = textLike(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/);

export const isSpec = recordOf({
  name: isText,
  dtype: isDataType,
  shape: (shape) => shape === null || listOf(isDimension)(shape),
});

const isFlag: Check = (flag) => flag === undefined || flag === true;

const isSignature = recordOf({
  deploymentDigest: textLike(/^[0-9a-f]{64}$/),
  threads: Number.isSafeInteger,
  bucket: isBucket,
  ...{ preprocess: isFlag, postprocess: isFlag },
  ...{ inputs: listOf(isSpec), outputs: listOf(isSpec) },
});

function isDimension(value: unknown): boolean {
  const isSize = Number.isSafeInteger(value) && (value as number) >= 0;
  return value === null || typeof value === 'string' || isSize;
}

/** In words, such as `a preprocess function`; `undefined` for a pipeline that takes and returns tensors. */
export function ownFunctions({
  preprocess,
  postprocess,
}: Pick<PipelineSignature, 'preprocess' | 'postprocess'>): string | undefined {
  const names = [preprocess && 'preprocess', postprocess && 'postprocess'].filter(Boolean);
  return names.length === 0 ? undefined : `a ${names.join(' and a ')} function`;
}
