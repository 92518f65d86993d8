/** The construct for a whole model in one Lambda function, which callers invoke themselves. */
import { hash } from 'node:crypto';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { WHOLE } from '../../contract/keys';
import { SIGNATURE_KEY } from '../../contract/signature';
import { inform, located } from '../aws/annotate';
import { allowLogEncryption } from '../aws/log-group';
import { createNetwork } from '../aws/network';
import { checkQuotas } from '../aws/quota-check';
import { type CodeHandlers, runtimeCodeDigest } from '../aws/runtime-code';
import { createSliceFunctions, type DirectCalls } from '../aws/slice-function';
import { checkOptions, type SliceFunctionOptions } from '../aws/slice-function-options';
import { signatureOf } from '../aws/state-machine';
import { publishedVersion } from '../aws/workflow/invoke-function';
import type { PipelineStates } from '../aws/workflow/states';
import type { OneFunction } from '../compile/plan-estimates';
import { SlicedInferenceError } from '../errors';
import type { SlicePlan } from '../plan/file/plan';
import { Consolidation, GraphOptimization, Prepacking, WarmUp } from '../pipeline/choices';
import { type Deployed, DeployedModel, type RunMetrics } from '../pipeline/deployed-model';
import { checkFits, planDeployment, type PipelineDeployment } from '../pipeline/deployment';
import { type SliceMetric, sliceMetric } from '../pipeline/pipeline-metrics';
import { pipelineModel, writePlan } from '../pipeline/pipeline-model';
import { type PipelinePlan, pipelinePlan, warnOfAssumptions } from '../pipeline/pipeline-plan';
import type { InferenceProps } from '../pipeline/inference-props';
import type { SlicedInferencePipelineProps } from '../pipeline/pipeline-props';
import { checkProps, pipelineSettings, type PipelineSettings } from '../pipeline/settings';
import { Slicing } from '../pipeline/slicing';
import { createStorage, grantObjects } from '../pipeline/storage';
import { MAX_EPHEMERAL_STORAGE_MB, MAX_LAMBDA_MEMORY_MB } from '../plan/sizes/lambda-quotas';
import type { InferenceFunctionProps } from './inference-function-props';
import { InferenceHandler } from './inference-handler';

/**
 * An ONNX model in one Lambda function, without a state machine: for models that fit into a function. Callers invoke the function with a
 * request (docs/requests-and-results.md), by the clients of this package or by any other. It takes the props of a
 * `SlicedInferencePipeline` that do not concern slices or state machines.
 *
 * The results are bit for bit those of a default session of ONNX Runtime on the same class of processor, with as many threads.
 *
 * @example
 * const classify = new InferenceFunction(stack, 'Classify', {
 *   modelPath: 'model.onnx',
 *   dimensions: { batch: 1, width: 640 },
 * });
 * classify.grantInvoke(caller);
 */
export class InferenceFunction extends DeployedModel {
  public readonly bucket: s3.IBucket;

  public readonly plan: PipelinePlan;

  public readonly planPath: string;

  public readonly invokeArn: string;

  /** The Lambda function. Call its `alias`: settings and code of the function itself change one after the other in a deployment. */
  public readonly function: lambda.Function;

  /** The alias `live` of the function's latest version, which callers invoke. */
  public readonly alias: lambda.Alias;

  /**
   * The URL of the function.
   *
   * @default - none: the function has no URL
   */
  public readonly url?: lambda.FunctionUrl;

  /** @internal */
  public readonly _deployed: Deployed;

  /**
   * Reads the model, and creates the function.
   *
   * @throws an error of one line if the model cannot be read or does not fit into a function, or if a prop is invalid
   */
  public constructor(scope: Construct, id: string, props: InferenceFunctionProps) {
    super(scope, id);
    try {
      // jsii passes no props at all if a caller in Python sets none.
      const own = (props as InferenceFunctionProps | undefined) ?? {};
      checkOptions(functionOptions(own), '');
      const ofPipeline = pipelineProps(own);
      checkProps(ofPipeline);
      const settings = pipelineSettings(ofPipeline);
      const { model, planned } = pipelineModel(ofPipeline, settings);
      checkWhole(model._plan, own);
      const direct = { optimizes: optimizes(model._plan, own), handlers: handlersOf(own) };
      const { batchItem, oneFunction } = planned?.estimates ?? {};
      const deployment = deploymentOf(
        model._plan,
        sizedProps(ofPipeline, plannedMemoryMb(model._plan, direct), oneFunction),
        settings,
        direct,
      );
      warnOfAssumptions(this, deployment.plan, {
        memorySizes: deployment.memorySizes,
        isX86: settings.architecture.name === lambda.Architecture.X86_64.name,
      });
      const storage = createStorage(this, ofPipeline, settings);
      const network = createNetwork(this, own, false);
      if (own.logEncryptionKey) allowLogEncryption(this, own.logEncryptionKey);
      const { slices } = createSliceFunctions(this, {
        ...{ ...settings, ...storage, direct, plan: deployment.plan, options: deployment.options },
        files: [model._place(this, 0, own.assetEncryptionKey, WHOLE)],
        ...(network && { network }),
      });
      const [{ fn, alias }] = slices;
      if (alias === undefined) throw new Error('the function of callers has no alias');
      this.function = fn;
      this.alias = alias;
      this.invokeArn = alias.functionArn;
      if (oneFunction?.isCheaper === false) inform(this, 'slices', oneFunction.verdict);
      this.bucket = storage.bucket;
      this.plan = pipelinePlan(planWith(deployment.plan, deployment.memorySizes[0]), oneFunction, undefined);
      this.planPath = writePlan(this, model._plan);
      if (own.functionUrl) this.url = alias.addFunctionUrl({ authType: lambda.FunctionUrlAuthType.AWS_IAM });
      const workflow = workflowOf(deployment, fn, direct.handlers);
      this._deployed = {
        workflow,
        settings,
        network,
        bucket: this.bucket,
        batchItem,
      };
      // The local cloud reads it. On AWS, the function tells it to its clients.
      const resource = alias.node.defaultChild as lambda.CfnAlias;
      resource.addMetadata(SIGNATURE_KEY, signatureOf(workflow, this.bucket));
      checkQuotas(this, { ...deployment, isExpress: false, functions: [fn] });
    } catch (error) {
      throw located(this, error);
    }
  }

  /** @internal */
  public get _runs(): RunMetrics {
    const { alias } = this;
    return {
      started: (options) => alias.metricInvocations(options),
      failed: (options) => failures(alias, options),
      throttled: (options) => alias.metricThrottles(options),
      time: (options) => alias.metricDuration(options),
    };
  }

  /** @internal */
  public get _functions(): ReadonlyMap<string, lambda.Function> {
    return new Map([[WHOLE, this.function]]);
  }

  public grantInvoke(grantee: iam.IGrantable): iam.Grant {
    const calls = this.alias.grantInvoke(grantee);
    const ofUrl = this.url ? calls.combine(this.url.grantInvokeUrl(grantee)) : calls;
    return ofUrl.combine(grantObjects(this.bucket, grantee));
  }

  /**
   * A metric that the calls of the function report. It requires the prop `sliceMetrics`. Invocations, errors, throttles and durations are
   * metrics of `alias`.
   *
   * @param metric the metric
   * @param props options of the metric
   * @default - over five minutes: the sum of cold starts and bytes, the average of times, the maximum of memory
   * @throws an error of one line if the function has no `sliceMetrics`
   * @example
   * const peak = fn.metricCall(SliceMetric.PEAK_MEMORY, { period: Duration.hours(1) });
   */
  public metricCall(metric: SliceMetric, props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    if (this._deployed.settings.sliceMetrics) return sliceMetric(this.function, metric, props);
    throw new SlicedInferenceError(
      'metricCall must be called on a function with sliceMetrics',
      'one without',
      'set its sliceMetrics to true',
    ).at(this.node.path);
  }
}

/**
 * To Lambda, a call by a URL that the function answers with a status of 5xx is no error. If it is one, both metrics count it. Also users
 * may give the alias a URL. https://docs.aws.amazon.com/lambda/latest/dg/urls-monitoring.html
 */
function failures(alias: lambda.Alias, options: cloudwatch.MetricOptions = {}): cloudwatch.IMetric {
  const { period, label } = options;
  return new cloudwatch.MathExpression({
    expression: 'MAX([FILL(errors, 0), FILL(url, 0)])',
    usingMetrics: {
      errors: alias.metricErrors({ period }),
      url: alias.metric('Url5xxCount', { statistic: cloudwatch.Stats.SUM, period }),
    },
    ...{ period, label },
  });
}

const PIPELINE = 'use a SlicedInferencePipeline';

/** Names of the props that a pipeline has elsewhere, or not at all. */
const FUNCTION_OPTIONS = [
  'memorySize',
  'timeout',
  'ephemeralStorageSize',
  'environment',
  'reservedConcurrentExecutions',
  'provisionedConcurrentExecutions',
] as const satisfies readonly (keyof SliceFunctionOptions)[];
const OTHER_PROPS = ['preprocess', 'postprocess', 'functionUrl', 'graphOptimization'] as const;

/** The props of a pipeline of one slice, with the same resources. */
function pipelineProps(props: InferenceFunctionProps): SlicedInferencePipelineProps {
  const { graphOptimization, slicedModel } = props;
  const isOwnLevel = graphOptimization !== undefined && graphOptimization !== GraphOptimization.ALL;
  return {
    ...(slicedModel === undefined && { slicing: Slicing.count(1), prepacking: Prepacking.ALWAYS }),
    ...(selected(
      props,
      (name) => ![...FUNCTION_OPTIONS, ...OTHER_PROPS].includes(name as never),
    ) as InferenceProps),
    ...(isOwnLevel && { graphOptimization }),
    ...{ consolidation: Consolidation.NEVER, warmUp: WarmUp.NEVER, sliceFunctions: functionOptions(props) },
  };
}

/** Without a size of the user, the function has the memory with which it is compared: more of it may cost less. */
function sizedProps(
  props: SlicedInferencePipelineProps,
  plannedMb: number,
  compared: OneFunction | undefined,
): SlicedInferencePipelineProps {
  const { sliceFunctions = {} } = props;
  if (sliceFunctions.memorySize !== undefined) return props;
  const memorySize = Math.max(plannedMb, compared?.memoryMb ?? 0);
  checkFits(memorySize, MAX_LAMBDA_MEMORY_MB, 'memory', PIPELINE);
  return { ...props, sliceFunctions: { ...sliceFunctions, memorySize } };
}

function plannedMemoryMb({ slices: [slice] }: SlicePlan, direct: DirectCalls): number {
  const { memoryMb, optimizedMemoryMb = memoryMb } = slice;
  return direct.optimizes ? optimizedMemoryMb : memoryMb;
}

function planWith({ slices: [slice], ...plan }: SlicePlan, memoryMb: number): SlicePlan {
  return { ...plan, slices: [{ ...slice, memoryMb }] };
}

function functionOptions(props: InferenceFunctionProps): SliceFunctionOptions {
  return selected(props, (name) => FUNCTION_OPTIONS.includes(name as never));
}

function selected(props: InferenceFunctionProps, isWanted: (name: string) => boolean): object {
  return Object.fromEntries(
    Object.entries(props).filter(([name, value]) => isWanted(name) && value !== undefined),
  );
}

/** @throws SlicedInferenceError for a model in several slices, for one that does not fit, and for another level than that of the slice */
function checkWhole(
  { slices, graphOptimization: sliced }: SlicePlan,
  { memorySize, ephemeralStorageSize, graphOptimization }: InferenceFunctionProps,
): void {
  if (slices.length !== 1)
    throw new SlicedInferenceError(
      'the slicedModel of a function must have one slice',
      String(slices.length),
      `slice the model with --slices 1, or ${PIPELINE}`,
    );
  if (graphOptimization === GraphOptimization.ALL && sliced !== 'none')
    throw new SlicedInferenceError(
      'graphOptimization ALL needs a slicedModel that was not optimized',
      `one optimized at ${sliced}`,
      'slice the model with --optimize none, or leave graphOptimization out',
    );
  const [{ memoryMb, ephemeralStorageMb }] = slices;
  if (memorySize === undefined) checkFits(memoryMb, MAX_LAMBDA_MEMORY_MB, 'memory', PIPELINE);
  if (!ephemeralStorageSize) checkFits(ephemeralStorageMb, MAX_EPHEMERAL_STORAGE_MB, '/tmp', PIPELINE);
}

/** A model that was optimized before it was sliced is loaded as it is. */
function optimizes(
  { graphOptimization: sliced }: SlicePlan,
  { graphOptimization }: InferenceFunctionProps,
): boolean {
  return sliced === 'none' && (graphOptimization ?? GraphOptimization.ALL) === GraphOptimization.ALL;
}

function handlersOf({ preprocess, postprocess }: InferenceFunctionProps): CodeHandlers {
  const codeOf = (step: keyof CodeHandlers, handler: InferenceHandler | undefined): CodeHandlers => {
    if (handler === undefined) return {};
    if (handler instanceof InferenceHandler) return { [step]: handler._code(step) };
    throw new SlicedInferenceError(
      `${step} of a function must be an InferenceHandler`,
      'another object',
      `pass InferenceHandler.fromFile, or ${PIPELINE}, which calls a Lambda function`,
    );
  };
  return { ...codeOf('preprocess', preprocess), ...codeOf('postprocess', postprocess) };
}

/** The digest also covers what a pipeline's function does not have. */
function deploymentOf(
  plan: SlicePlan,
  props: SlicedInferencePipelineProps,
  settings: PipelineSettings,
  { optimizes: isOptimized, handlers }: DirectCalls,
): PipelineDeployment {
  const deployment = planDeployment(plan, props, settings);
  const parts = [
    deployment.plan.deploymentDigest,
    isOptimized,
    runtimeCodeDigest(settings.architecture, handlers),
  ];
  const deploymentDigest = hash('sha256', JSON.stringify(parts));
  return { ...deployment, plan: { ...deployment.plan, deploymentDigest } };
}

/** Batches call a version, and the steps of the user in the same function. */
function workflowOf(
  { plan }: PipelineDeployment,
  fn: lambda.Function,
  handlers: CodeHandlers,
): PipelineStates {
  const own = publishedVersion(fn, fn.currentVersion);
  return {
    ...{ plan, functions: [own], warmsUp: false, tensorsInState: false },
    ...(handlers.preprocess && { preprocess: { ...own, step: 'preprocess' } }),
    ...(handlers.postprocess && { postprocess: { ...own, step: 'postprocess' } }),
  };
}
