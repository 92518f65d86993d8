/** The construct: compiles a model, stages its slices, gives each a function and chains them in a state machine. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { RemovalPolicy, Stage, Token } from 'aws-cdk-lib';
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { sliceName } from '../lambda/contract';
import { runtimeCodeDigest } from './aws/runtime-code';
import type { LogSettings } from './aws/log-group';
import { allowLogs } from './aws/log-group';
import { createExpressBucket } from './aws/express-bucket';
import { createNetwork } from './aws/network';
import { warnOfAssumptions } from './aws/assumptions';
import { checkQuotas } from './aws/quota-check';
import { createSliceFunction, sliceMemorySize } from './aws/slice-function';
import { optionsOfSlices } from './aws/slice-function-options';
import type { GrantedRight } from './aws/slice-permissions';
import { callerRights, readerRights } from './aws/slice-permissions';
import { createStateMachine } from './aws/state-machine';
import { createTensorBucket, RUNS_RETENTION } from './aws/tensor-bucket';
import { PipelineFragment } from './aws/workflow/fragment';
import { ownFunction, publishedVersion } from './aws/workflow/invoke-function';
import type { WorkflowProps } from './aws/workflow/workflow';
import { planText } from './emit/write';
import { SlicedInferenceError } from './errors';
import { GraphOptimization } from './graph-optimization';
import { threadCount } from './plan/estimate';
import type { SlicePlan } from './plan/plan';
import { isWarmUpWorthwhile } from './plan/warm-up';
import type { SlicedInferencePipelineProps } from './pipeline-props';
import { checkProps } from './check-props';
import { SlicedModel } from './sliced-model';
import { Slicing } from './slicing';
import { WarmUp } from './warm-up';
import { sliceMetric } from './slice-metric';
import type { SliceMetric } from './slice-metric';
import { stageModel } from './stage';

/**
 * Runs an ONNX model as a chain of Lambda functions, one per slice, that pass tensors through S3.
 *
 * Start an execution of `stateMachine` with the input that the README describes; the results are bit for bit those
 * of the whole model in ONNX Runtime at the same level of graph optimisation.
 */
export class SlicedInferencePipeline extends Construct {
  /** Runs the slices in order. */
  public readonly stateMachine: sfn.StateMachine;

  /** Holds requests below `inputs/` and results below `outputs/`. */
  public readonly bucket: s3.IBucket;

  /** The functions of the slices, in order. */
  public readonly functions: lambda.Function[];

  /** Path, on the machine that synthesizes, of the plan in the cloud assembly: how the model is cut, and why so. */
  public readonly planPath: string;

  /** @internal */
  public readonly _hasSliceMetrics: boolean;

  private readonly stateMachineType: sfn.StateMachineType;
  private readonly workflow: Omit<WorkflowProps, 'expressions' | 'prefix'>;

  /**
   * Reads and cuts the model.
   *
   * @throws an error of one line for every model, slicing or property that cannot be
   */
  public constructor(scope: Construct, id: string, props: SlicedInferencePipelineProps) {
    super(scope, id);
    checkProps(props);
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE;
    this.stateMachineType = props.stateMachineType ?? sfn.StateMachineType.EXPRESS;
    this._hasSliceMetrics = props.sliceMetrics ?? false;

    const model = props.slicedModel ?? cutModel(props);
    const plan = model._plan;

    this.bucket = props.bucket ?? createTensorBucket(this, 'Bucket', { ...props, removalPolicy });
    const options = optionsOfSlices(plan.slices.length, props.sliceFunctions, props.sliceFunctionOverrides);
    // All slices share one number of threads: the last bits of a result may depend on it.
    const memorySizes = options.map((own, slice) => sliceMemorySize(plan, slice, own));
    warnOfAssumptions(this, plan, memorySizes);
    // A token stands for a number that CDK cannot know yet: the plan's estimates take its place.
    const threads = memorySizes.every(isKnown) ? threadCount(Math.max(...memorySizes)) : plan.threads;
    const architecture = props.architecture ?? lambda.Architecture.X86_64;
    const float16Transport = props.float16Transport ?? false;
    const zone = props.tensorStore?._availabilityZoneId;
    // Results depend on all of these: a run whose functions change one of them on the way has to stop.
    const runsOn = [
      plan.planDigest,
      runtimeCodeDigest(architecture),
      architecture.name,
      threads,
      float16Transport,
      isKnown(zone) ? zone : 'a zone',
    ];
    const planDigest = createHash('sha256').update(JSON.stringify(runsOn)).digest('hex');
    const deployed = { ...plan, planDigest, threads };
    this.planPath = writePlan(this, plan);
    const network = createNetwork(this, props, zone !== undefined);
    const { logEncryptionKey } = props;
    if (logEncryptionKey) allowLogs(this, logEncryptionKey);
    const logSettings: LogSettings = {
      retention: props.logRetention ?? logs.RetentionDays.ONE_MONTH,
      removalPolicy,
      ...(logEncryptionKey && { encryptionKey: logEncryptionKey }),
    };
    const expressBucket =
      zone === undefined
        ? undefined
        : createExpressBucket(this, 'TensorBucket', {
            availabilityZoneId: zone,
            retention: props.intermediateRetention ?? RUNS_RETENTION,
            removalPolicy,
          });
    const functions = plan.slices.map((_, slice) =>
      createSliceFunction(this, sliceName(slice), {
        plan: deployed,
        slice,
        files: model._place(this, slice, props.assetEncryptionKey),
        bucket: this.bucket,
        ...(expressBucket && { expressBucket }),
        architecture,
        runtime: props.runtime ?? lambda.Runtime.NODEJS_24_X,
        sliceMetrics: this._hasSliceMetrics,
        float16Transport,
        options: options[slice],
        ...(network && { network }),
        logs: logSettings,
      }),
    );
    this.functions = functions.map(({ fn }) => fn);
    const isExpress = this.stateMachineType === sfn.StateMachineType.EXPRESS;
    this.workflow = {
      plan: deployed,
      warmsUp: warmsUp(props.warmUp, plan, isExpress),
      functions: functions.map(({ fn, target }) => publishedVersion(fn, target)),
      ...(props.preprocess && { preprocess: ownFunction(props.preprocess) }),
      ...(props.postprocess && { postprocess: ownFunction(props.postprocess) }),
    };
    this.stateMachine = createStateMachine(this, {
      workflow: this.workflow,
      bucket: this.bucket,
      type: this.stateMachineType,
      timeout: props.timeout,
      tracing: props.tracing,
      logLevel: props.logLevel,
      logs: logSettings,
    });
    checkQuotas(this, {
      plan,
      isExpress,
      warmsUp: this.workflow.warmsUp,
      memorySizes,
      options,
      ...(props.timeout && { timeout: props.timeout }),
      functions: this.functions,
      stateMachine: this.stateMachine,
    });
  }

  /**
   * The pipeline as a part of a state machine of yours, whose language may be JSONPath or JSONata. Its input is the
   * request and its output that of an execution of the pipeline, both as the README describes them. A failure of a slice
   * fails your execution: `toSingleState()` gives a state that can catch it. Each time that an execution comes here is a
   * run of its own. The names of its states begin with `id` and a colon.
   *
   * @param scope where its states are made
   * @param id of the construct, unique within your state machine
   */
  public asFragment(scope: Construct, id: string): sfn.StateMachineFragment {
    return new PipelineFragment(scope, id, this.workflow);
  }

  /**
   * Allows a principal to read results, below `outputs/` in the bucket.
   *
   * @param grantee who is to be allowed
   */
  public grantReadOutputs(grantee: iam.IGrantable): iam.Grant {
    return this.grant(grantee, readerRights(this.bucket));
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
      // Its definition says which bucket requests go to.
      actions: [
        'states:StartExecution',
        ...(isExpress ? ['states:StartSyncExecution'] : []),
        'states:DescribeStateMachine',
      ],
      resourceArns: [this.stateMachine.stateMachineArn],
    });
    const grants = isExpress ? [] : [this.stateMachine.grantExecution(grantee, 'states:DescribeExecution')];
    const objects = this.grant(grantee, callerRights(this.bucket));
    return [...grants, objects].reduce((all, grant) => all.combine(grant), start);
  }

  /**
   * Runs that began.
   *
   * @param props of the metric
   * @default - the sum over five minutes
   */
  public metricStarted(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.stateMachine.metricStarted(props);
  }

  /**
   * Runs that ended with results.
   *
   * @param props of the metric
   * @default - the sum over five minutes
   */
  public metricSucceeded(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.stateMachine.metricSucceeded(props);
  }

  /**
   * Runs that failed, those for an invalid request included.
   *
   * @param props of the metric
   * @default - the sum over five minutes
   */
  public metricFailed(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.stateMachine.metricFailed(props);
  }

  /**
   * Runs that took longer than the state machine allows.
   *
   * @param props of the metric
   * @default - the sum over five minutes
   */
  public metricTimedOut(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.stateMachine.metricTimedOut(props);
  }

  /**
   * How long runs took, in milliseconds.
   *
   * @param props of the metric
   * @default - the average over five minutes
   */
  public metricTime(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.stateMachine.metricTime(props);
  }

  /**
   * Calls of a slice's function, those that are tried again and those that only warm up included.
   *
   * @param slice index of the slice, from 0
   * @param props of the metric
   * @default - the sum over five minutes
   */
  public metricSliceInvocations(slice: number, props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.sliceFunction(slice).metricInvocations(props);
  }

  /**
   * How long the calls of a slice's function took, in milliseconds: loading, reading, running and writing. Where runs warm
   * up, every other call does no more than that, so that a high percentile tells more than the average.
   *
   * @param slice index of the slice, from 0
   * @param props of the metric
   * @default - the average over five minutes
   */
  public metricSliceDuration(slice: number, props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.sliceFunction(slice).metricDuration(props);
  }

  /**
   * Calls of a slice's function that failed, those that are tried again included, and warm-ups, which fail no run.
   *
   * @param slice index of the slice, from 0
   * @param props of the metric
   * @default - the sum over five minutes
   */
  public metricSliceErrors(slice: number, props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.sliceFunction(slice).metricErrors(props);
  }

  /**
   * Calls of a slice's function that found no capacity. The state machine tries them again for some 40 seconds.
   *
   * @param slice index of the slice, from 0
   * @param props of the metric
   * @default - the sum over five minutes
   */
  public metricSliceThrottles(slice: number, props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.sliceFunction(slice).metricThrottles(props);
  }

  /**
   * What the calls of a slice's function report of themselves, where `sliceMetrics` is on. Warm-ups report nothing; a load
   * that one did counts as that of its run's own call.
   *
   * @param slice index of the slice, from 0
   * @param metric which figure
   * @param props of the metric
   * @default - the sum over five minutes of cold starts and bytes, the average of times, the maximum of memory
   */
  public metricSlice(
    slice: number,
    metric: SliceMetric,
    props?: cloudwatch.MetricOptions,
  ): cloudwatch.Metric {
    if (!this._hasSliceMetrics) {
      throw new SlicedInferenceError(
        'metricSlice must be of a pipeline that has such metrics',
        'one without',
        'set its sliceMetrics to true',
      );
    }
    return sliceMetric(this.sliceFunction(slice), metric, props);
  }

  private sliceFunction(slice: number): lambda.Function {
    const fn = this.functions.at(slice);
    if (fn !== undefined && Number.isInteger(slice) && slice >= 0) return fn;
    throw new SlicedInferenceError(
      `a slice must be a whole number from 0 to ${this.functions.length - 1}`,
      String(slice),
      "give the index of one of the pipeline's slices",
    );
  }

  private grant(grantee: iam.IGrantable, rights: readonly GrantedRight[]): iam.Grant {
    const grants = rights.map(({ statement: { actions, resources, conditions }, resource }) =>
      iam.Grant.addToPrincipalOrResource({
        grantee,
        actions,
        resourceArns: resources,
        resource,
        conditions: conditions as Record<string, Record<string, unknown>>,
      }),
    );
    return grants.reduce((all, grant) => all.combine(grant));
  }
}

function isKnown(value: number | string | undefined): boolean {
  return !Token.isUnresolved(value);
}

function warmsUp(warmUp: WarmUp | undefined, plan: SlicePlan, isExpress: boolean): boolean {
  switch (warmUp) {
    case undefined:
    case WarmUp.AUTOMATIC:
      return isWarmUpWorthwhile(plan, isExpress);
    case WarmUp.ALWAYS:
      return true;
    case WarmUp.NEVER:
      return false;
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

/** Writes the plan into the cloud assembly, beside the assets; nothing that is deployed refers to it. */
function writePlan(scope: Construct, plan: SlicePlan): string {
  // A stack without an app has one made for it.
  const folder = Stage.of(scope)?.assetOutdir ?? '';
  const file = path.join(folder, `plan-${plan.planDigest}.json`);
  fs.writeFileSync(file, planText(plan));
  return file;
}
