/** What a state machine says about its pipeline. Anyone can write the comment that has it, so everything is checked. */
import { type PipelineSignature, SIGNATURE_KEY } from '../../contract/signature';
import { isRecord, fieldValue, kindOf, type JsonRecord } from '../../lambda/json-values';
import { MAX_INLINE_RESULT_BYTES } from '../../contract/execution';
import { MAX_REQUEST_BYTES } from '../../contract/slice-event';
import { InferenceError } from '../errors';
import { parsedRecord } from '../failure-cause';
import type { Dimension, TensorSpec } from '../../contract/tensors';
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

/** What calls need to know of any state machine, also of one that has a pipeline as a part. */
export interface MachineDescription {
  readonly type: 'EXPRESS' | 'STANDARD';
  readonly executionSeconds?: number;
  /** Whether it is that of a pipeline with a preprocess or postprocess function. */
  readonly hasOwnFunctions: boolean;
  /** As the comment states it, unchecked; `undefined` of a state machine that is not that of a pipeline. */
  readonly bucket: unknown;
  /** Likewise. */
  readonly deploymentDigest: unknown;
  readonly definition: string;
}

/** What `describe` returns. */
export interface PipelineDescription {
  /** As the client was given it. */
  readonly stateMachineArn: string;
  /** An Express execution takes at most five minutes, a Standard one at most a year. */
  readonly type: 'EXPRESS' | 'STANDARD';
  /** Name of the bucket of requests and results. */
  readonly bucket: string;
  /** The tensors of requests and results, and what identifies the model. */
  readonly signature: PipelineSignature;
  /** The largest requests and results, and the longest run. */
  readonly limits: PipelineLimits;
}

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html */
const MAX_DEFINITION_CHARACTERS = 1_048_576;

/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
export const MAX_EXECUTION_DATA_BYTES = 262_144;

/** The longest execution of an Express state machine, in seconds. Source: the quotas above. */
const MAX_EXPRESS_SECONDS = 300;

export interface Described {
  readonly definition?: string | undefined;
  readonly type?: string | undefined;
}

export function readDescription(stateMachineArn: string, described: Described): PipelineDescription {
  const { type, executionSeconds, signature: found } = readDefinition(stateMachineArn, described);
  if (found === undefined) throw notAPipeline(stateMachineArn, 'a comment without a signature');
  const signature = checkedSignature(found, (problem) => notAPipeline(stateMachineArn, problem));
  return {
    stateMachineArn,
    type,
    bucket: signature.bucket,
    signature,
    limits: {
      requestBytes: MAX_REQUEST_BYTES,
      inlineResultBytes: MAX_INLINE_RESULT_BYTES,
      executionInputBytes: MAX_EXECUTION_DATA_BYTES,
      ...(executionSeconds !== undefined && { executionSeconds }),
    },
  };
}

export function readMachine(stateMachineArn: string, described: Described): MachineDescription {
  const { type, executionSeconds, signature } = readDefinition(stateMachineArn, described);
  const { definition = '' } = described;
  const { preprocess, postprocess, bucket, deploymentDigest } = isRecord(signature) ? signature : {};
  const hasOwnFunctions = (preprocess ?? postprocess) === true;
  return {
    ...{ type, hasOwnFunctions, bucket, deploymentDigest, definition },
    ...(executionSeconds !== undefined && { executionSeconds }),
  };
}

function readDefinition(
  stateMachineArn: string,
  { definition, type }: Described,
): {
  readonly type: MachineDescription['type'];
  readonly executionSeconds: number | undefined;
  readonly signature: unknown;
} {
  if (definition === undefined || definition.length > MAX_DEFINITION_CHARACTERS) {
    throw notAPipeline(stateMachineArn, 'no definition that can be read');
  }
  if (type !== 'EXPRESS' && type !== 'STANDARD') throw notAPipeline(stateMachineArn, 'another type');
  const { Comment: comment, TimeoutSeconds: timeout } = parsedRecord(definition) ?? {};
  const signature = typeof comment === 'string' ? parsedRecord(comment)?.[SIGNATURE_KEY] : undefined;
  const limit = type === 'EXPRESS' ? MAX_EXPRESS_SECONDS : undefined;
  return { type, executionSeconds: typeof timeout === 'number' && timeout > 0 ? timeout : limit, signature };
}

function notAPipeline(arn: string, got: string): InferenceError {
  return new InferenceError(
    'NotAPipeline',
    `${arn} must be the state machine of a SlicedInferencePipeline, got ${got}: check the ARN, use invoke for your own state machine, or deploy with this version of the package`,
    { got },
  );
}

type Refuse = (problem: string) => Error;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** A definition of 1 MiB has no more. */
const MAX_TENSORS = 100_000;

function checkedSignature(value: unknown, refuse: Refuse): PipelineSignature {
  const fields = checkedRecord(value, 'a signature', refuse);
  const { version, deploymentDigest, threads, bucket, inputs, outputs, preprocess, postprocess } = fields;
  if (version !== CONTRACT_VERSION) throw refuse(`a signature of version ${fieldValue(version)}`);
  if (typeof deploymentDigest !== 'string' || !/^[0-9a-f]{64}$/.test(deploymentDigest)) {
    throw refuse('a signature without the digest of a deployment');
  }
  if (!Number.isSafeInteger(threads) || (threads as number) < 1) {
    throw refuse(`a signature with threads of ${fieldValue(threads)}`);
  }
  if (typeof bucket !== 'string' || !BUCKET.test(bucket)) throw refuse('a signature without a bucket');
  for (const flag of [preprocess, postprocess]) {
    if (flag !== undefined && flag !== true) throw refuse(`a signature with a flag of ${fieldValue(flag)}`);
  }
  return {
    version,
    deploymentDigest,
    threads: threads as number,
    bucket,
    inputs: checkedSpecs(inputs, 'inputs', refuse),
    outputs: checkedSpecs(outputs, 'outputs', refuse),
    ...(preprocess === true && { preprocess }),
    ...(postprocess === true && { postprocess }),
  };
}

function checkedSpecs(value: unknown, field: string, refuse: Refuse): TensorSpec[] {
  if (!Array.isArray(value) || value.length > MAX_TENSORS) {
    throw refuse(`a signature whose ${field} are ${kindOf(value)}`);
  }
  const specs = value.map((item: unknown) => checkedSpec(item, field, refuse));
  const names = new Set(specs.map(({ name }) => name));
  if (names.size !== specs.length) throw refuse(`a signature with two ${field} of one name`);
  return specs;
}

function checkedSpec(value: unknown, field: string, refuse: Refuse): TensorSpec {
  const subject = `a signature with ${field} in which a tensor`;
  const { name, dtype, shape } = checkedRecord(value, subject, refuse);
  if (typeof name !== 'string') throw refuse(`${subject} has no name`);
  if (!isDataType(dtype)) throw refuse(`${subject} has the type ${fieldValue(dtype)}`);
  if (shape !== null && !(Array.isArray(shape) && shape.every(isDimension))) {
    throw refuse(`${subject} has the shape ${fieldValue(shape)}`);
  }
  return { name, dtype, shape };
}

function checkedRecord(value: unknown, subject: string, refuse: Refuse): JsonRecord {
  if (isRecord(value)) return value;
  throw refuse(`${subject} that is ${kindOf(value)}`);
}

function isDimension(value: unknown): value is Dimension {
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
