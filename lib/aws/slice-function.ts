/** The Lambda function of one slice. */
import type { RemovalPolicy } from 'aws-cdk-lib';
import { Duration, Size, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { ENV } from '../../lambda/contract';
import { SlicedInferenceError, quoted } from '../errors';
import type { SlicePlan } from '../plan/plan';
import { MAX_EPHEMERAL_STORAGE_MB, MAX_LAMBDA_MEMORY_MB, MIN_LAMBDA_MEMORY_MB } from '../plan/quotas';
import { HANDLER, runtimeCode } from './runtime-code';
import type { SliceObjects } from './slice-object';
import { slicePermissions } from './slice-permissions';

/** What can be set for the functions of the slices; what is left out comes from the plan. */
export interface SliceFunctionOptions {
  /**
   * Memory of a function, in MB.
   *
   * @default - the plan's estimate for each slice: its weights, activations and tensors, and the bare runtime
   */
  readonly memorySize?: number;

  /**
   * Timeout of one call.
   *
   * @default - a minute, and three times as long as loading the weights at 40 MB/s takes
   */
  readonly timeout?: Duration;

  /**
   * Size of `/tmp`, which holds the slice's files.
   *
   * @default - what the files need, at least 512 MiB
   */
  readonly ephemeralStorageSize?: Size;

  /**
   * Environment variables besides the library's own.
   *
   * @default - none
   */
  readonly environment?: { [key: string]: string };
}

export interface SliceFunctionProps {
  readonly plan: SlicePlan;
  readonly slice: number;
  readonly files: SliceObjects;
  readonly bucket: s3.IBucket;
  readonly architecture: lambda.Architecture;
  readonly runtime: lambda.Runtime;
  readonly options: SliceFunctionOptions;
  readonly removalPolicy: RemovalPolicy;
}

/** The memory that a slice's function gets, in MB; throws when Lambda has no such function. */
export function sliceMemorySize(plan: SlicePlan, slice: number, options: SliceFunctionOptions): number {
  const { memoryMb } = plan.slices[slice];
  if (options.memorySize !== undefined) {
    checkMemorySize(options.memorySize);
    return options.memorySize;
  }
  if (memoryMb <= MAX_LAMBDA_MEMORY_MB) return memoryMb;
  throw new SlicedInferenceError(
    `slice ${slice} must fit a Lambda function of ${MAX_LAMBDA_MEMORY_MB} MB`,
    `an estimate of ${memoryMb} MB`,
    'ask for more slices, or set sliceFunctions.memorySize if you know better',
  );
}

function checkMemorySize(memorySize: number): void {
  if (Token.isUnresolved(memorySize)) return;
  if (
    Number.isInteger(memorySize) &&
    memorySize >= MIN_LAMBDA_MEMORY_MB &&
    memorySize <= MAX_LAMBDA_MEMORY_MB
  )
    return;
  throw new SlicedInferenceError(
    `sliceFunctions.memorySize must be a whole number of MB from ${MIN_LAMBDA_MEMORY_MB} to ${MAX_LAMBDA_MEMORY_MB}`,
    String(memorySize),
    'give a size that Lambda has',
  );
}

export function createSliceFunction(
  scope: Construct,
  id: string,
  props: SliceFunctionProps,
): lambda.Function {
  const { plan, slice, files, bucket, options } = props;
  const planned = plan.slices[slice];
  const inner = new Construct(scope, id);
  const logGroup = new logs.LogGroup(inner, 'Logs', {
    retention: logs.RetentionDays.ONE_MONTH,
    removalPolicy: props.removalPolicy,
  });
  const isLast = slice === plan.slices.length - 1;
  const role = new iam.Role(inner, 'Role', {
    assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    inlinePolicies: {
      Slice: slicePermissions({
        slice,
        isLast,
        reads: [...planned.inputs, ...(isLast ? plan.outputs : [])],
        files: files.weights ? [files.model, files.weights] : [files.model],
        bucket,
        logGroup,
      }),
    },
  });
  return new lambda.Function(inner, 'Function', {
    description: description(plan, slice),
    code: runtimeCode(inner, props.architecture),
    handler: HANDLER,
    runtime: props.runtime,
    architecture: props.architecture,
    memorySize: sliceMemorySize(plan, slice, options),
    timeout: options.timeout ?? Duration.seconds(planned.timeoutSeconds),
    ephemeralStorageSize: options.ephemeralStorageSize ?? plannedStorage(slice, planned.ephemeralStorageMb),
    environment: { ...addedEnvironment(options), ...environment(props) },
    role,
    logGroup,
  });
}

/** Lambda refuses descriptions of more than 256 characters, and a file name may have 255. */
function description(plan: SlicePlan, slice: number): string {
  return `Slice ${slice + 1} of ${plan.slices.length} of ${plan.model.file}`.slice(0, 256);
}

function plannedStorage(slice: number, mebibytes: number): Size {
  if (mebibytes <= MAX_EPHEMERAL_STORAGE_MB) return Size.mebibytes(mebibytes);
  throw new SlicedInferenceError(
    `the files of slice ${slice} must fit the ${MAX_EPHEMERAL_STORAGE_MB} MB of a function's /tmp`,
    `${mebibytes} MB`,
    'ask for more slices',
  );
}

/** The variables that the user adds; the library's own are not to be replaced. */
function addedEnvironment({ environment: added = {} }: SliceFunctionOptions): Record<string, string> {
  const own = new Set<string>(Object.values(ENV));
  const taken = Object.keys(added).find((name) => own.has(name));
  if (taken === undefined) return added;
  throw new SlicedInferenceError(
    "sliceFunctions.environment must leave the library's own variables alone",
    quoted(taken),
    'choose another name',
  );
}

function environment(props: SliceFunctionProps): Record<string, string> {
  const { plan, slice, files, bucket } = props;
  const planned = plan.slices[slice];
  return {
    [ENV.slice]: String(slice),
    [ENV.modelUri]: files.model.uri,
    [ENV.modelSha256]: planned.model.sha256,
    ...(planned.weights &&
      files.weights && {
        [ENV.weightsUri]: files.weights.uri,
        [ENV.weightsSha256]: planned.weights.sha256,
        [ENV.weightsFile]: planned.weights.file,
      }),
    [ENV.bucket]: bucket.bucketName,
    [ENV.planDigest]: plan.planDigest,
    [ENV.threads]: String(plan.threads),
  };
}
