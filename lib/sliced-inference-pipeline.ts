/** The construct: compiles a model, stages its slices, gives each a function and chains them in a state machine. */
import { createHash } from 'node:crypto';
import { Annotations, Duration, Fn, Names, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { CONTRACT_VERSION, sliceName } from '../lambda/contract';
import { runtimeCodeDigest } from './aws/runtime-code';
import { sliceFileAsset } from './aws/slice-asset';
import type { SliceFunctionOptions } from './aws/slice-function';
import { createSliceFunction, sliceMemorySize } from './aws/slice-function';
import { callerStatements } from './aws/slice-permissions';
import { createTensorBucket } from './aws/tensor-bucket';
import { sliceWorkflow } from './aws/workflow';
import { compile } from './compile';
import type { CompiledModel } from './emit/compiled-model';
import { SlicedInferenceError } from './errors';
import { threadCount } from './plan/estimate';
import type { SlicePlan } from './plan/plan';
import { MAX_EXPRESS_MINUTES } from './plan/quotas';
import { givenSize, symbolicNames } from './shapes/value-types';
import { Slicing } from './slicing';

/** Properties of `SlicedInferencePipeline`. */
export interface SlicedInferencePipelineProps {
  /**
   * Path of an ONNX model, absolute or relative to the working directory of the CDK app. External data must lie
   * in the model's folder. It is read at synth time.
   */
  readonly modelPath: string;

  /**
   * How the model is cut.
   *
   * @default Slicing.automatic() - as few slices as fit functions of 3,008 MB
   */
  readonly slicing?: Slicing;

  /**
   * Sizes of the model's symbolic dimensions that memory and cuts are planned for, by name. The third dimension of
   * input `x` is called `x[2]` when it has no name. Requests may have other sizes; larger ones may need more memory.
   *
   * @default - 1 for each
   */
  readonly dimensions?: { [name: string]: number };

  /**
   * Processor architecture of the functions.
   *
   * @default lambda.Architecture.X86_64
   */
  readonly architecture?: lambda.Architecture;

  /**
   * Node.js runtime of the functions.
   *
   * @default lambda.Runtime.NODEJS_24_X
   */
  readonly runtime?: lambda.Runtime;

  /**
   * Type of the state machine. Express machines cost less and end within five minutes. Changing the type replaces
   * the machine.
   *
   * @default sfn.StateMachineType.EXPRESS
   */
  readonly stateMachineType?: sfn.StateMachineType;

  /**
   * How long an execution may take.
   *
   * @default Duration.minutes(5)
   */
  readonly timeout?: Duration;

  /**
   * Settings of all slice functions.
   *
   * @default - memory, timeout and `/tmp` of each function come from the plan
   */
  readonly sliceFunctions?: SliceFunctionOptions;

  /**
   * Bucket for requests, intermediate tensors and results. Give it lifecycle rules: the pipeline writes below
   * `runs/` and `outputs/` and deletes nothing.
   *
   * @default - a private, encrypted bucket whose objects expire: runs after a day, requests and results after seven
   */
  readonly bucket?: s3.IBucket;

  /**
   * Key that encrypts the pipeline's bucket. Not together with `bucket`, which has its own.
   *
   * @default - S3-managed encryption
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * What becomes of the bucket and of the log groups when they leave the stack.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}

/**
 * Runs an ONNX model as a chain of Lambda functions, one per slice, that pass tensors through S3.
 *
 * Start an execution of `stateMachine` with the input that the README describes; the results are bit for bit those
 * of the whole model in ONNX Runtime without graph optimisation.
 */
export class SlicedInferencePipeline extends Construct {
  /** Runs the slices in order. */
  public readonly stateMachine: sfn.StateMachine;

  /** Holds requests below `inputs/` and results below `outputs/`. */
  public readonly bucket: s3.IBucket;

  /** The functions of the slices, in order. */
  public readonly functions: lambda.Function[];

  private readonly stateMachineType: sfn.StateMachineType;

  /**
   * Reads and cuts the model.
   *
   * @throws an error of one line for every model, slicing or property that cannot be
   */
  public constructor(scope: Construct, id: string, props: SlicedInferencePipelineProps) {
    super(scope, id);
    checkProps(props);
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    this.stateMachineType = props.stateMachineType ?? sfn.StateMachineType.EXPRESS;

    const slicing = props.slicing ?? Slicing.automatic();
    const compiled = compile(props.modelPath, slicing._slicer, props.dimensions ?? {});
    this.warnOfAssumptions(compiled.plan, props);

    this.bucket =
      props.bucket ??
      createTensorBucket(this, 'Bucket', {
        removalPolicy,
        ...(props.encryptionKey && { encryptionKey: props.encryptionKey }),
      });
    // All slices share one number of threads: the last bits of a result may depend on it.
    const memorySizes = compiled.slices.map((_, slice) =>
      sliceMemorySize(compiled.plan, slice, props.sliceFunctions ?? {}),
    );
    // A token stands for a number that CDK cannot know yet: the plan's estimates take its place.
    const threads = memorySizes.some((size) => Token.isUnresolved(size))
      ? compiled.plan.threads
      : threadCount(Math.max(...memorySizes));
    const architecture = props.architecture ?? lambda.Architecture.X86_64;
    // Results depend on all of these: a run whose functions change one of them on the way has to stop.
    const runsOn = [compiled.plan.planDigest, runtimeCodeDigest(architecture), architecture.name, threads];
    const planDigest = createHash('sha256').update(JSON.stringify(runsOn)).digest('hex');
    const deployed = { ...compiled, plan: { ...compiled.plan, planDigest, threads } };
    this.functions = this.createFunctions(deployed, props, architecture, removalPolicy);
    this.stateMachine = this.createStateMachine(deployed.plan, props, removalPolicy);
  }

  /**
   * Allows a principal to run the pipeline: start executions (and wait for them, or read their outcome), put
   * requests below `inputs/` and get results below `outputs/`.
   *
   * @param grantee who is to be allowed
   */
  public grantInvoke(grantee: iam.IGrantable): iam.Grant {
    const isExpress = this.stateMachineType === sfn.StateMachineType.EXPRESS;
    const start = iam.Grant.addToPrincipal({
      grantee,
      // CDK's own grantStartExecution leaves the synchronous start of Express machines out.
      actions: isExpress ? ['states:StartExecution', 'states:StartSyncExecution'] : ['states:StartExecution'],
      resourceArns: [this.stateMachine.stateMachineArn],
    });
    const grants = isExpress ? [] : [this.stateMachine.grantExecution(grantee, 'states:DescribeExecution')];
    const objects = callerStatements(this.bucket).map(({ actions, resources }) =>
      iam.Grant.addToPrincipal({ grantee, actions, resourceArns: resources }),
    );
    return [...grants, ...objects].reduce((all, grant) => all.combine(grant), start);
  }

  private createFunctions(
    { plan, files, slices }: CompiledModel,
    props: SlicedInferencePipelineProps,
    architecture: lambda.Architecture,
    removalPolicy: RemovalPolicy,
  ): lambda.Function[] {
    const options = props.sliceFunctions ?? {};
    return slices.map((chunks, slice) => {
      const { model, weights } = plan.slices[slice];
      const name = sliceName(slice);
      return createSliceFunction(this, name, {
        plan,
        slice,
        modelAsset: sliceFileAsset(this, `${name}-model`, files, chunks.model, model),
        ...(weights && {
          weightsAsset: sliceFileAsset(this, `${name}-weights`, files, chunks.weights, weights),
        }),
        bucket: this.bucket,
        architecture,
        runtime: props.runtime ?? lambda.Runtime.NODEJS_24_X,
        options,
        removalPolicy,
      });
    });
  }

  private createStateMachine(
    plan: SlicePlan,
    props: SlicedInferencePipelineProps,
    removalPolicy: RemovalPolicy,
  ): sfn.StateMachine {
    const name = Names.uniqueResourceName(this, { maxLength: 200, separator: '-' });
    const logGroup = new logs.LogGroup(this, 'Logs', {
      // Other prefixes share a resource policy of 5,120 characters, which a few machines fill. The stack's UUID lets
      // a stack that was deleted, with its log group retained, be deployed again under its name.
      logGroupName: `/aws/vendedlogs/states/${name}-${uuidOf(Stack.of(this))}`,
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy,
    });
    return new sfn.StateMachine(this, 'StateMachine', {
      stateMachineType: this.stateMachineType,
      queryLanguage: sfn.QueryLanguage.JSONATA,
      definitionBody: sfn.DefinitionBody.fromChainable(sliceWorkflow(this, plan, this.functions)),
      comment: JSON.stringify({
        slicedInference: {
          version: CONTRACT_VERSION,
          planDigest: plan.planDigest,
          threads: plan.threads,
          bucket: this.bucket.bucketName,
          inputs: plan.inputs,
          outputs: plan.outputs.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
        },
      }),
      timeout: props.timeout ?? Duration.minutes(MAX_EXPRESS_MINUTES),
      tracingEnabled: true,
      logs: { destination: logGroup, level: sfn.LogLevel.ERROR, includeExecutionData: false },
    });
  }

  private warnOfAssumptions(plan: SlicePlan, props: SlicedInferencePipelineProps): void {
    const assumed = symbolicNames(plan.inputs).filter(
      (name) => givenSize(props.dimensions ?? {}, name) === undefined,
    );
    if (assumed.length > 0) {
      Annotations.of(this).addWarningV2(
        'cdk-sliced-inference:assumedDimensions',
        `memory and cuts are planned with size 1 for ${assumed.join(', ')}: set dimensions to the sizes of your requests`,
      );
    }
    const memorySize = props.sliceFunctions?.memorySize;
    const needed = Math.max(...plan.slices.map(({ memoryMb }) => memoryMb));
    if (memorySize !== undefined && !Token.isUnresolved(memorySize) && memorySize < needed) {
      Annotations.of(this).addWarningV2(
        'cdk-sliced-inference:littleMemory',
        `sliceFunctions.memorySize is ${memorySize} MB where the plan estimates ${needed} MB for the largest slice`,
      );
    }
  }
}

/** The bundled handler is compiled for this version. */
const OLDEST_NODE_RUNTIME = 20;

/** The last segment of `arn:aws:cloudformation:region:account:stack/name/uuid`. */
function uuidOf(stack: Stack): string {
  return Fn.select(2, Fn.split('/', stack.stackId));
}

function checkProps(props: SlicedInferencePipelineProps): void {
  // From JavaScript and other languages anything may come.
  const modelPath: unknown = props.modelPath;
  if (typeof modelPath !== 'string' || modelPath === '') {
    throw new SlicedInferenceError(
      'modelPath must be the path of an ONNX model',
      modelPath === '' ? 'an empty one' : typeof modelPath,
      'give the path of a file on this machine',
    );
  }
  checkRuntime(props.runtime);
  if (Token.isUnresolved(props.modelPath)) {
    throw new SlicedInferenceError(
      'modelPath must be a path that is known at synth time',
      'a CDK token',
      'give the path of a file on this machine',
    );
  }
  if (props.bucket && props.encryptionKey) {
    throw new SlicedInferenceError(
      'encryptionKey must encrypt a bucket that the pipeline makes',
      'a bucket of your own too',
      'encrypt your bucket yourself and leave encryptionKey out',
    );
  }
  const isExpress = props.stateMachineType !== sfn.StateMachineType.STANDARD;
  if (!isExpress || !props.timeout || props.timeout.isUnresolved()) return;
  if (props.timeout.toMinutes({ integral: false }) > MAX_EXPRESS_MINUTES) {
    throw new SlicedInferenceError(
      `timeout of an Express state machine must be at most ${MAX_EXPRESS_MINUTES} minutes`,
      props.timeout.toHumanString(),
      'shorten it or set stateMachineType to STANDARD',
    );
  }
}

function checkRuntime(runtime: lambda.Runtime | undefined): void {
  if (runtime === undefined) return;
  const [, version] = /^nodejs(\d+)\.x$/.exec(runtime.name) ?? [];
  if (Number(version) >= OLDEST_NODE_RUNTIME) return;
  throw new SlicedInferenceError(
    `runtime must be Node.js ${OLDEST_NODE_RUNTIME} or newer`,
    runtime.name,
    'leave it out, or choose a newer Node.js',
  );
}
