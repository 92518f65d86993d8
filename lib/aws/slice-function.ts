/** The Lambda functions of the slices, each with the version or alias that the state machine calls. */
import { Duration, RemovalPolicy, Size } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { ENV, HANDLER_BUCKET, METRICS_NAMESPACE } from '../../contract/environment';
import { loaderClaimKey, sliceName, WHOLE } from '../../contract/keys';
import { SlicedInferenceError } from '../errors';
import { type DeployedPlan, stackUuid } from './deployed-plan';
import type { PlannedSlice, SlicePlan } from '../plan/file/plan';
import { MAX_EPHEMERAL_STORAGE_MB, MAX_LAMBDA_MEMORY_MB } from '../plan/sizes/lambda-quotas';
import type { ExpressBucket } from './buckets';
import { type LogSettings, createLogGroup } from './log-group';
import { type Network, networkStatements } from './network';
import { attachOwnPolicy, attachPolicies } from './replaced-policy';
import { type CodeHandlers, HANDLER, PROVISIONED_HANDLER, runtimeCode } from './runtime-code';
import type { SliceFunctionOptions } from './slice-function-options';
import { filesOf, type SliceObjects } from './slice-files';
import { sharedPermissions, slicePermissions, tracingStatement } from './slice-permissions';

interface FunctionSettings {
  readonly bucket: s3.IBucket;
  readonly expressBucket?: ExpressBucket;
  readonly architecture: lambda.Architecture;
  readonly runtime: lambda.Runtime;
  readonly sliceMetrics: boolean;
  readonly tracing: boolean;
  readonly network?: Network;
  /** Only of a function that callers invoke themselves. */
  readonly direct?: DirectCalls;
}

/** How the function of a whole model serves callers without a state machine. */
export interface DirectCalls {
  /** Whether ONNX Runtime optimizes the model as far as it can when the function loads it. */
  readonly optimizes: boolean;
  /** The functions of the user in its code. */
  readonly handlers: CodeHandlers;
}

interface SliceFunctionsProps extends FunctionSettings {
  readonly plan: DeployedPlan;
  readonly files: readonly SliceObjects[];
  readonly options: readonly SliceFunctionOptions[];
  readonly logs: LogSettings;
  readonly whole?: {
    readonly plan: DeployedPlan;
    readonly files: SliceObjects;
    readonly options: SliceFunctionOptions;
  };
}

interface SliceFunctionProps extends FunctionSettings {
  readonly plan: DeployedPlan;
  readonly slice: number;
  readonly files: SliceObjects;
  readonly options: SliceFunctionOptions;
  /** Shared by the functions. The names of its streams contain the name of the function. */
  readonly logGroup: logs.ILogGroup;
  /**
   * Key of the loaders' claim. Only the function of the whole model has one; its plan has one slice.
   *
   * @default - a slice
   */
  readonly loaderKey?: string;
}

interface SliceFunction {
  readonly fn: lambda.Function;
  readonly role: iam.Role;
  /** What state machines call. */
  readonly target: lambda.IFunction;
  /** Of a function that callers invoke, and of one with provisioned concurrency. */
  readonly alias?: lambda.Alias;
}

export interface PipelineFunctions {
  readonly slices: readonly SliceFunction[];
  readonly whole?: SliceFunction;
}

export function createSliceFunctions(scope: Construct, props: SliceFunctionsProps): PipelineFunctions {
  const { plan, files, options, logs: logSettings, whole: wholeProps, ...settings } = props;
  const common = { ...settings, logGroup: createLogGroup(scope, 'SliceLogs', logSettings) };
  const slices = files.map((own, slice) =>
    createSliceFunction(scope, settings.direct ? MODEL : sliceName(slice), {
      ...{ ...common, plan, slice, files: own, options: options[slice] },
    }),
  );
  const whole =
    wholeProps &&
    createSliceFunction(scope, WHOLE, {
      ...{ ...common, ...wholeProps, slice: 0 },
      loaderKey: loaderClaimKey(`${scope.node.addr}-${stackUuid(scope)}`, plan.deploymentDigest),
    });
  const functions = whole ? [...slices, whole] : slices;
  const loaded = wholeProps ? [...files, wholeProps.files] : files;
  const shared = [
    ...sharedPermissions({ ...common, files: loaded.flatMap(filesOf) }),
    ...(settings.tracing ? [tracingStatement()] : []),
    ...(settings.network ? networkStatements() : []),
  ];
  const roles = functions.map(({ role }) => role);
  for (const policy of attachPolicies(scope, 'SlicePolicy', roles, shared)) {
    // Lambda refuses a function in a VPC whose role may not attach it, and a traced one whose role may not write traces.
    for (const { fn } of functions) fn.node.defaultChild?.node.addDependency(policy);
  }
  return { slices, ...(whole && { whole }) };
}

/** Id of a function that has no state machine. */
const MODEL = 'Model';

/** Callers of a function invoke this alias, so that a deployment changes code and settings at once. */
const ALIAS = 'live';

export function sliceMemorySize(plan: SlicePlan, slice: number, options: SliceFunctionOptions): number {
  const { memoryMb } = plan.slices[slice];
  if (options.memorySize !== undefined) return options.memorySize;
  if (memoryMb <= MAX_LAMBDA_MEMORY_MB) return memoryMb;
  throw new SlicedInferenceError(
    `slice ${slice} must fit a Lambda function of ${MAX_LAMBDA_MEMORY_MB} MB`,
    `an estimate of ${memoryMb} MB`,
    'use more slices, or set sliceFunctions.memorySize if the estimate is too high',
  );
}

function createSliceFunction(scope: Construct, id: string, props: SliceFunctionProps): SliceFunction {
  const { plan, slice, options, network } = props;
  const planned = plan.slices[slice];
  const inner = new Construct(scope, id);
  const { reservedConcurrentExecutions, provisionedConcurrentExecutions } = options;
  const role = createRole(inner, props);
  const fn = new lambda.Function(inner, 'Function', {
    description: description(props),
    code: runtimeCode(inner, props.architecture, props.direct?.handlers),
    handler: provisionedConcurrentExecutions === undefined ? HANDLER : PROVISIONED_HANDLER,
    runtime: props.runtime,
    architecture: props.architecture,
    memorySize: sliceMemorySize(plan, slice, options),
    timeout: options.timeout ?? Duration.seconds(planned.timeoutSeconds),
    ephemeralStorageSize: storage(planned, slice, options),
    environment: { ...options.environment, ...environment(props) },
    role,
    logGroup: props.logGroup,
    ...(reservedConcurrentExecutions !== undefined && { reservedConcurrentExecutions }),
    ...network,
    // A run that is in progress during a deployment keeps calling the version that it started with.
    currentVersionOptions: {
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
      ...asynchronousCalls(props),
    },
  });
  if (props.tracing) {
    // CDK's own prop would add a policy to each role; the policy that all functions share has the permission already.
    (fn.node.defaultChild as lambda.CfnFunction).tracingConfig = { mode: lambda.Tracing.ACTIVE };
  }
  const alias = aliasOf(fn, props);
  return { fn, role, target: alias ?? fn.currentVersion, ...(alias && { alias }) };
}

/**
 * An alias for callers and for provisioned concurrency. Old versions are retained: provisioned concurrency of a version would remain, and
 * cost money, after the next deployment.
 */
function aliasOf(fn: lambda.Function, props: SliceFunctionProps): lambda.Alias | undefined {
  const { provisionedConcurrentExecutions } = props.options;
  if (provisionedConcurrentExecutions === undefined && !props.direct) return undefined;
  return new lambda.Alias(fn, 'Alias', {
    aliasName: ALIAS,
    version: fn.currentVersion,
    ...(provisionedConcurrentExecutions !== undefined && { provisionedConcurrentExecutions }),
    ...asynchronousCalls(props),
  });
}

/**
 * Lambda drops a load that it could not start within a minute, the least that it allows, and does not repeat one that failed:
 * the next cold run asks again. https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html
 */
function asynchronousCalls({ loaderKey }: SliceFunctionProps): lambda.EventInvokeConfigOptions {
  return loaderKey === undefined ? {} : { retryAttempts: 0, maxEventAge: Duration.minutes(1) };
}

function createRole(
  scope: Construct,
  { plan, slice, files, bucket, expressBucket, loaderKey, direct }: SliceFunctionProps,
): iam.Role {
  const isLast = slice === plan.slices.length - 1;
  const role = new iam.Role(scope, 'Role', {
    assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
  });
  const permissions = slicePermissions({
    slice,
    isLast,
    reads: [...plan.slices[slice].inputs, ...(isLast ? plan.outputs : [])],
    files: filesOf(files),
    bucket,
    ...(expressBucket && { expressBucket }),
    ...(loaderKey !== undefined && { loaderKey }),
    ...(direct?.handlers.preprocess && { writesRequests: true }),
  });
  attachOwnPolicy(role, 'Policy', permissions);
  return role;
}

/** Lambda allows descriptions of at most 256 characters, and a file name may have 255. */
function description({ plan, slice, loaderKey, direct }: SliceFunctionProps): string {
  const isWhole = loaderKey !== undefined || direct !== undefined;
  const part = isWhole ? 'The whole' : `Slice ${slice + 1} of ${plan.slices.length}`;
  return `${part} of ${plan.model.file}`.slice(0, 256);
}

function storage(
  planned: PlannedSlice,
  slice: number,
  { ephemeralStorageSize: own }: SliceFunctionOptions,
): Size {
  const { ephemeralStorageMb } = planned;
  if (!own) {
    if (ephemeralStorageMb <= MAX_EPHEMERAL_STORAGE_MB) return Size.mebibytes(ephemeralStorageMb);
    throw new SlicedInferenceError(
      `the files of slice ${slice} must fit the ${MAX_EPHEMERAL_STORAGE_MB} MB of a function's /tmp`,
      `${ephemeralStorageMb} MB`,
      'use more slices',
    );
  }
  const bytes = planned.model.bytes + (planned.weights?.bytes ?? 0);
  if (own.isUnresolved() || own.toBytes() >= bytes) return own;
  throw new SlicedInferenceError(
    `the /tmp of the function of ${sliceName(slice)} must hold its files of ${bytes} bytes`,
    `${own.toBytes()} bytes`,
    `raise its ephemeralStorageSize to ${ephemeralStorageMb} MB`,
  );
}

function environment(props: SliceFunctionProps): Record<string, string> {
  const { plan, slice, files, bucket, expressBucket, loaderKey, direct } = props;
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
    ...(expressBucket && { [ENV.runsBucket]: expressBucket.bucketName }),
    [ENV.deploymentDigest]: plan.deploymentDigest,
    [ENV.threads]: String(plan.threads),
    ...(plan.prepacking === false && { [ENV.prepacking]: 'off' }),
    ...(loaderKey !== undefined && { [ENV.loaderKey]: loaderKey }),
    ...(props.sliceMetrics && { [ENV.metricsNamespace]: METRICS_NAMESPACE }),
    ...(direct && directVariables(direct, bucket)),
  };
}

function directVariables({ optimizes, handlers }: DirectCalls, bucket: s3.IBucket): Record<string, string> {
  const { preprocess, postprocess } = handlers;
  return {
    [ENV.directCalls]: 'on',
    ...(optimizes && { [ENV.graphOptimization]: 'all' }),
    ...(preprocess && { [ENV.preprocess]: preprocess.entry }),
    ...(postprocess && { [ENV.postprocess]: postprocess.entry }),
    ...((preprocess ?? postprocess) && { [HANDLER_BUCKET]: bucket.bucketName }),
  };
}
