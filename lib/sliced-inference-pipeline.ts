/** The construct: compiles a model, stages its slices, gives each a function and chains them in a state machine. */
import { createHash } from 'node:crypto';
import { Annotations, Duration, Fn, Names, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { CONTRACT_VERSION, sliceName } from '../lambda/contract';
import { runtimeCodeDigest } from './aws/runtime-code';
import { createSliceFunction, sliceMemorySize } from './aws/slice-function';
import { callerStatements } from './aws/slice-permissions';
import { createTensorBucket } from './aws/tensor-bucket';
import { sliceWorkflow } from './aws/workflow';
import { GraphOptimization } from './graph-optimization';
import { onnxRuntimeVersion } from './onnxruntime';
import { threadCount } from './plan/estimate';
import type { SlicePlan } from './plan/plan';
import { MAX_EXPRESS_MINUTES } from './plan/quotas';
import { givenSize, symbolicNames } from './shapes/value-types';
import type { SlicedInferencePipelineProps } from './pipeline-props';
import { checkProps } from './pipeline-props';
import { SlicedModel } from './sliced-model';
import { Slicing } from './slicing';
import { stageModel } from './stage';

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

    const model = props.slicedModel ?? cutModel(props);
    const plan = model._plan;
    this.warnOfAssumptions(plan, props);

    this.bucket =
      props.bucket ??
      createTensorBucket(this, 'Bucket', {
        removalPolicy,
        ...(props.encryptionKey && { encryptionKey: props.encryptionKey }),
      });
    // All slices share one number of threads: the last bits of a result may depend on it.
    const memorySizes = plan.slices.map((_, slice) =>
      sliceMemorySize(plan, slice, props.sliceFunctions ?? {}),
    );
    // A token stands for a number that CDK cannot know yet: the plan's estimates take its place.
    const threads = memorySizes.some((size) => Token.isUnresolved(size))
      ? plan.threads
      : threadCount(Math.max(...memorySizes));
    const architecture = props.architecture ?? lambda.Architecture.X86_64;
    // Results depend on all of these: a run whose functions change one of them on the way has to stop.
    const runsOn = [plan.planDigest, runtimeCodeDigest(architecture), architecture.name, threads];
    const planDigest = createHash('sha256').update(JSON.stringify(runsOn)).digest('hex');
    const deployed = { ...plan, planDigest, threads };
    this.functions = this.createFunctions(deployed, model, props, architecture, removalPolicy);
    this.stateMachine = this.createStateMachine(deployed, props, removalPolicy);
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
    plan: SlicePlan,
    model: SlicedModel,
    props: SlicedInferencePipelineProps,
    architecture: lambda.Architecture,
    removalPolicy: RemovalPolicy,
  ): lambda.Function[] {
    return plan.slices.map((_, slice) =>
      createSliceFunction(this, sliceName(slice), {
        plan,
        slice,
        files: model._place(this, slice),
        bucket: this.bucket,
        architecture,
        runtime: props.runtime ?? lambda.Runtime.NODEJS_24_X,
        options: props.sliceFunctions ?? {},
        removalPolicy,
      }),
    );
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
      (name) => givenSize(plan.dimensions, name) === undefined,
    );
    if (assumed.length > 0) {
      Annotations.of(this).addWarningV2(
        'cdk-sliced-inference:assumedDimensions',
        `memory and cuts are planned with size 1 for ${assumed.join(', ')}: set dimensions to the sizes of your requests`,
      );
    }
    if (plan.onnxRuntime !== onnxRuntimeVersion()) {
      Annotations.of(this).addWarningV2(
        'cdk-sliced-inference:otherOnnxRuntime',
        `the model was sliced for ONNX Runtime ${plan.onnxRuntime} and will run on ${onnxRuntimeVersion()}: slice it again with this version of the library`,
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

/** Cuts the model of a pipeline that was given its path. */
function cutModel(props: SlicedInferencePipelineProps): SlicedModel {
  const slicing = props.slicing ?? Slicing.automatic();
  const staged = stageModel(props.modelPath ?? '', slicing._slicer, {
    dimensions: props.dimensions ?? {},
    optimisation: props.graphOptimization ?? GraphOptimization.NONE,
  });
  return SlicedModel._fromStaged(staged);
}

/** The last segment of `arn:aws:cloudformation:region:account:stack/name/uuid`. */
function uuidOf(stack: Stack): string {
  return Fn.select(2, Fn.split('/', stack.stackId));
}
