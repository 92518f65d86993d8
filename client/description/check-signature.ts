/** Checks a pipeline's signature field by field. Fields that this version does not know may be there: a newer pipeline may state more. */
import type { PipelineSignature } from '../../contract/signature';
import {
  TENSOR_DATA_TYPES,
  type Dimension,
  type TensorDataType,
  type TensorSpec,
} from '../../contract/tensors';
import { CONTRACT_VERSION } from '../../contract/version';
import { fieldValue, kindOf, isRecord, type JsonRecord } from '../../lambda/json-values';

type Refuse = (problem: string) => Error;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** A definition of 1 MiB has no more. */
const MAX_TENSORS = 100_000;

/** @param refuse makes the error of a problem, such as `a signature without a bucket` */
export function checkedSignature(value: unknown, refuse: Refuse): PipelineSignature {
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

function isDataType(value: unknown): value is TensorDataType {
  return (TENSOR_DATA_TYPES as readonly unknown[]).includes(value);
}

function isDimension(value: unknown): value is Dimension {
  const isSize = Number.isSafeInteger(value) && (value as number) >= 0;
  return value === null || typeof value === 'string' || isSize;
}
