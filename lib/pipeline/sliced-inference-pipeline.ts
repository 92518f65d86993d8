/** The construct: compiles a model, stages its slices, and creates a function per slice and the state machine. */
import { Token } from 'aws-cdk-lib';
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { sliceName, WHOLE } from '../../contract/keys';
import { inConstruct, located } from '../aws/annotate';
import { allowLogEncryption } from '../aws/log-group';
import { createNetwork, type Network } from '../aws/network';
import { checkQuotas } from '../aws/quota-check';
import { type PipelineFunctions, createSliceFunctions } from '../aws/slice-function';
import type { SliceObjects } from '../aws/slice-files';
import { createStateMachine } from '../aws/state-machine';
import { PipelineFragment } from '../aws/workflow/fragment';
import { publishedVersion, userFunction } from '../aws/workflow/invoke-function';
import type { PipelineStates } from '../aws/workflow/states';
import { SlicedInferenceError } from '../errors';
import { type Deployed, DeployedModel, type RunMetrics } from './deployed-model';
import { informOfLargeRequest } from './large-request';
import { checkProps, type PipelineSettings, pipelineSettings } from './settings';
import { type PipelineDeployment, planDeployment } from './deployment';
import { grantCaller, type Storage, createStorage } from './storage';
import { sliceMetric, type SliceMetric } from './pipeline-metrics';
import { pipelineModel, writePlan } from './pipeline-model';
import { type PipelinePlan, pipelinePlan, annotatePlan, warnOfAssumptions } from './pipeline-plan';
import type { SlicedInferencePipelineProps } from './pipeline-props';
import type { SlicedModel } from './sliced-model';

/**
 * An ONNX model that runs as Lambda functions, one per slice, under a Step Functions state machine. The functions pass
 * tensors through S3.
 *
 * Start an execution of `stateMachine` with a request (docs/requests-and-results.md). The results are bit for bit those
 * of the whole model in ONNX Runtime at the same level of graph optimization and on the same class of processor.
 *
 * @example
 * const ocr = new SlicedInferencePipeline(stack, 'Ocr', {
 *   modelPath: 'model.onnx',
 *   slicing: Slicing.count(4),
 *   dimensions: { batch: 1, width: 640 },
 * });
 * ocr.grantInvoke(caller);
 */
export class SlicedInferencePipeline extends DeployedModel {
  /** The state machine: each execution is a run of the model. */
  public readonly stateMachine: sfn.StateMachine;

  /** The bucket that holds requests below `inputs/` and results below `outputs/`. */
  public readonly bucket: s3.IBucket;

  /** The slice functions, in the order of the slices. */
  public readonly functions: lambda.Function[];

  /**
   * The function of the whole model.
   *
   * @default - none: the pipeline has no consolidation
   */
  public readonly wholeFunction?: lambda.Function;

  /**
   * Path of the plan in the cloud assembly, on the machine that synthesizes. The plan describes how the model is cut.
   */
  public readonly planPath: string;

  /**
   * How the model is cut, with the memory and the bytes of each slice, and with the cost and latency of a run by the model of
   * cost.
   */
  public readonly plan: PipelinePlan;

  public readonly invokeArn: string;

  /** @internal */
  public readonly _deployed: Deployed;

  private readonly isExpress: boolean;

  /**
   * Reads and cuts the model, and creates the resources.
   *
   * @throws an error of one line if the model cannot be read or cut, or if a prop is invalid
   */
  public constructor(scope: Construct, id: string, props: SlicedInferencePipelineProps) {
    super(scope, id);
    try {
      checkProps(props);
      const settings = pipelineSettings(props);
      const { model, planned, whole } = pipelineModel(props, settings);
      const deployment = planDeployment(
        model._plan,
        props,
        settings,
        whole && { plan: whole._plan, callMs: planned?.estimates.wholeCallMs ?? 0 },
      );
      warnOfAssumptions(this, deployment.plan, {
        memorySizes: deployment.memorySizes,
        isX86: settings.architecture.name === lambda.Architecture.X86_64.name,
      });
      if (planned) annotatePlan(this, model._plan, planned.estimates, planned.isAutomatic);
      // The input of a preprocess function is the user's.
      if (!props.preprocess) informOfLargeRequest(this, deployment.plan);

      const storage = createStorage(this, props, settings);
      const network = createNetwork(this, props, storage.expressBucket !== undefined);
      const functions = this.createFunctions(props, settings, { model, whole }, deployment, {
        ...storage,
        network,
      });

      this.plan = pipelinePlan(model._plan, planned?.estimates, whole?._plan);
      this.planPath = writePlan(this, model._plan);
      this.bucket = storage.bucket;
      this.functions = functions.slices.map(({ fn }) => fn);
      if (functions.whole) this.wholeFunction = functions.whole.fn;
      this.isExpress = settings.stateMachineType === sfn.StateMachineType.EXPRESS;
      const workflow = workflowOf(deployment, functions, settings, props);
      const { batchItem, cold } = planned?.estimates ?? {};
      this._deployed = { workflow, settings, network, bucket: this.bucket, batchItem };
      this.stateMachine = createStateMachine(this, {
        workflow,
        functions: this.functions,
        bucket: this.bucket,
        type: settings.stateMachineType,
        timeout: props.timeout,
        tracing: settings.tracing,
        logLevel: props.logLevel,
        logs: settings.logs,
      });
      this.invokeArn = this.stateMachine.stateMachineArn;
      checkQuotas(this, {
        ...deployment,
        isExpress: this.isExpress,
        ...(props.timeout && { timeout: props.timeout }),
        ...(cold && { coldRunSeconds: cold.ends.slow.latency.p95 / 1000 }),
        functions: functions.whole ? [...this.functions, functions.whole.fn] : this.functions,
      });
    } catch (error) {
      throw located(this, error);
    }
  }

  /**
   * Returns the pipeline as a fragment of your own state machine, whose query language may be JSONPath or JSONata. The
   * input of the fragment is a request, and its output is that of an execution of the pipeline
   * (docs/requests-and-results.md). If a slice fails, your execution fails; to catch the failure, call `toSingleState()` and add a
   * catch to the state that it returns. CDK drops `outputs` of this catch unless you pass
   * `{ queryLanguage: sfn.QueryLanguage.JSONATA }` to `toSingleState()`. An execution that enters the fragment several times starts a new run each time.
   * The names of the fragment's states start with `id` and a colon.
   *
   * @param scope scope of the fragment, in the same stack as the pipeline or in a nested stack of it
   * @param id id of the fragment, at most 40 characters, unique within your state machine
   * @throws an error of one line if the scope is in another stack, or if the id is too long
   * @example
   * const ocr = pipeline.asFragment(stack, 'ReadText');
   * new sfn.StateMachine(stack, 'Documents', {
   *   definitionBody: sfn.DefinitionBody.fromChainable(ocr),
   * });
   */
  public asFragment(scope: Construct, id: string): sfn.StateMachineFragment {
    return inConstruct(this, () => new PipelineFragment(scope, id, this._deployed.workflow));
  }

  /**
   * Grants a principal permission to run the pipeline: to start executions, to wait for them (Express) or to follow and
   * stop them (Standard), to put requests below `inputs/` and to read results below `outputs/`.
   *
   * @param grantee the principal, for example a function or a role
   * @example
   * pipeline.grantInvoke(caller);
   */
  public grantInvoke(grantee: iam.IGrantable): iam.Grant {
    return grantCaller(this.stateMachine, this.isExpress, this.bucket, grantee);
  }

  /**
   * A metric that the calls of a slice's function report. It requires the prop `sliceMetrics`. Warm-ups report no
   * metrics: if a warm-up loaded the slice, the run's own call reports that load. The metrics of runs are those of `stateMachine`.
   *
   * @param slice index of the slice, from 0
   * @param metric the metric
   * @param props options of the metric
   * @default - over five minutes: the sum of cold starts and bytes, the average of times, the maximum of memory
   * @throws an error of one line if the pipeline has no `sliceMetrics`
   * @example
   * const peak = pipeline.metricSlice(0, SliceMetric.PEAK_MEMORY, { period: Duration.hours(1) });
   */
  public metricSlice(
    slice: number,
    metric: SliceMetric,
    props?: cloudwatch.MetricOptions,
  ): cloudwatch.Metric {
    if (!this._deployed.settings.sliceMetrics) {
      throw new SlicedInferenceError(
        'metricSlice must be called on a pipeline with sliceMetrics',
        'one without',
        'set its sliceMetrics to true',
      ).at(this.node.path);
    }
    const fn = this.functions.at(slice);
    if (fn !== undefined && Number.isInteger(slice) && slice >= 0) return sliceMetric(fn, metric, props);
    throw new SlicedInferenceError(
      `slice must be a whole number from 0 to ${this.functions.length - 1}`,
      Token.isUnresolved(slice) ? 'a CDK token' : String(slice),
      "pass the index of one of the pipeline's slices",
    ).at(this.node.path);
  }

  /** @internal */
  public get _runs(): RunMetrics {
    return runMetrics(this.stateMachine);
  }

  /** @internal */
  public get _functions(): ReadonlyMap<string, lambda.Function> {
    const { functions, wholeFunction } = this;
    const slices = functions.map((fn, slice) => [sliceName(slice), fn] as const);
    return new Map([...slices, ...(wholeFunction ? [[WHOLE, wholeFunction] as const] : [])]);
  }

  private createFunctions(
    props: SlicedInferencePipelineProps,
    settings: PipelineSettings,
    { model, whole: wholeModel }: { readonly model: SlicedModel; readonly whole?: SlicedModel | undefined },
    { plan, options, whole }: PipelineDeployment,
    { network, ...storage }: Storage & { readonly network: Network | undefined },
  ): PipelineFunctions {
    if (props.logEncryptionKey) allowLogEncryption(this, props.logEncryptionKey);
    const placed = (own: SlicedModel, slice: number, name?: string): SliceObjects =>
      own._place(this, slice, props.assetEncryptionKey, name);
    return createSliceFunctions(this, {
      ...{ ...settings, ...storage, plan, options },
      files: plan.slices.map((_, slice) => placed(model, slice)),
      ...(whole && wholeModel && { whole: { ...whole, files: placed(wholeModel, 0, WHOLE) } }),
      ...(network && { network }),
    });
  }
}

/** Of any state machine, such as that of a batch. */
export function runMetrics(machine: sfn.StateMachine): RunMetrics {
  return {
    started: (options) => machine.metricStarted(options),
    succeeded: (options) => machine.metricSucceeded(options),
    failed: (options) => machine.metricFailed(options),
    timedOut: (options) => machine.metricTimedOut(options),
    throttled: (options) => machine.metricThrottled(options),
    time: (options) => machine.metricTime(options),
  };
}

function workflowOf(
  { plan, warmsUp, whole: deployed }: PipelineDeployment,
  { slices, whole }: PipelineFunctions,
  { tensorsInState }: PipelineSettings,
  { preprocess, postprocess }: SlicedInferencePipelineProps,
): PipelineStates {
  return {
    plan,
    warmsUp,
    tensorsInState,
    functions: slices.map(({ fn, target }) => publishedVersion(fn, target)),
    ...(deployed &&
      whole && {
        whole: { fn: publishedVersion(whole.fn, whole.target), askSeconds: deployed.askSeconds },
      }),
    ...(preprocess && { preprocess: userFunction(preprocess) }),
    ...(postprocess && { postprocess: userFunction(postprocess) }),
  };
}
