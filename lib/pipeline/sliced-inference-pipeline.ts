/** The construct: compiles a model, stages its slices, gives each slice a function and chains them in a state machine. */
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { sliceName } from '../../contract/keys';
import { warnOfAssumptions } from '../aws/assumptions';
import { allowLogs } from '../aws/log-group';
import { createNetwork } from '../aws/network';
import { checkQuotas } from '../aws/quota-check';
import type { SliceFunction } from '../aws/slice-function';
import { createSliceFunction } from '../aws/slice-function';
import { createStateMachine } from '../aws/state-machine';
import { PipelineFragment } from '../aws/workflow/fragment';
import { ownFunction, publishedVersion } from '../aws/workflow/invoke-function';
import type { WorkflowProps } from '../aws/workflow/workflow';
import { checkProps } from './check-props';
import type { Deployment } from './deployment';
import { planDeployment } from './deployment';
import { grantCaller, grantReader } from './grants';
import { PipelineMetrics } from './pipeline-metrics';
import { pipelineModel, writePlan } from './pipeline-model';
import type { SlicedInferencePipelineProps } from './pipeline-props';
import type { PipelineSettings } from './settings';
import { pipelineSettings } from './settings';
import type { SlicedModel } from './sliced-model';
import type { Storage } from './storage';
import { createStorage } from './storage';

/**
 * Runs an ONNX model as a chain of Lambda functions, one per slice, that pass tensors through S3.
 *
 * Start an execution of `stateMachine` with the input that the README describes; the results are bit for bit those
 * of the whole model in ONNX Runtime at the same level of graph optimization.
 */
export class SlicedInferencePipeline extends PipelineMetrics {
  /** Runs the slices in order. */
  public readonly stateMachine: sfn.StateMachine;

  /** Holds requests below `inputs/` and results below `outputs/`. */
  public readonly bucket: s3.IBucket;

  /** The functions of the slices, in order. */
  public readonly functions: lambda.Function[];

  /** Path of the plan in the cloud assembly, on the machine that synthesizes. The plan tells how the model is cut. */
  public readonly planPath: string;

  /** @internal */
  public readonly _hasSliceMetrics: boolean;

  private readonly isExpress: boolean;
  private readonly workflow: Omit<WorkflowProps, 'expressions' | 'prefix'>;

  /**
   * Reads and cuts the model.
   *
   * @throws an error of one line for every model, slicing or property that does not work
   */
  public constructor(scope: Construct, id: string, props: SlicedInferencePipelineProps) {
    super(scope, id);
    checkProps(props);
    const settings = pipelineSettings(props);
    const model = pipelineModel(props);
    const deployment = planDeployment(model._plan, props, settings);
    warnOfAssumptions(this, deployment.plan, deployment.memorySizes);

    const storage = createStorage(this, props, settings);
    const slices = this.createFunctions(props, settings, model, deployment, storage);

    this.planPath = writePlan(this, model._plan);
    this.bucket = storage.bucket;
    this.functions = slices.map(({ fn }) => fn);
    this.isExpress = settings.stateMachineType === sfn.StateMachineType.EXPRESS;
    this._hasSliceMetrics = settings.sliceMetrics;
    this.workflow = workflowOf(deployment, slices, props);
    this.stateMachine = createStateMachine(this, {
      workflow: this.workflow,
      bucket: this.bucket,
      type: settings.stateMachineType,
      timeout: props.timeout,
      tracing: props.tracing,
      logLevel: props.logLevel,
      logs: settings.logs,
    });
    checkQuotas(this, {
      ...deployment,
      isExpress: this.isExpress,
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
   * @param grantee the principal, such as a function or a role
   */
  public grantReadOutputs(grantee: iam.IGrantable): iam.Grant {
    return grantReader(this.bucket, grantee);
  }

  /**
   * Allows a principal to run the pipeline: to start executions (and wait for them, or read their outcome), put
   * requests below `inputs/` and get results below `outputs/`.
   *
   * @param grantee the principal, such as a function or a role
   */
  public grantInvoke(grantee: iam.IGrantable): iam.Grant {
    return grantCaller(this.stateMachine, this.isExpress, this.bucket, grantee);
  }

  private createFunctions(
    props: SlicedInferencePipelineProps,
    settings: PipelineSettings,
    model: SlicedModel,
    { plan, options }: Deployment,
    { bucket, expressBucket }: Storage,
  ): SliceFunction[] {
    const network = createNetwork(this, props, expressBucket !== undefined);
    if (props.logEncryptionKey) allowLogs(this, props.logEncryptionKey);
    return plan.slices.map((_, slice) =>
      createSliceFunction(this, sliceName(slice), {
        ...settings,
        plan,
        slice,
        files: model._place(this, slice, props.assetEncryptionKey),
        bucket,
        ...(expressBucket && { expressBucket }),
        options: options[slice],
        ...(network && { network }),
      }),
    );
  }
}

function workflowOf(
  { plan, warmsUp }: Deployment,
  slices: readonly SliceFunction[],
  { preprocess, postprocess }: SlicedInferencePipelineProps,
): Omit<WorkflowProps, 'expressions' | 'prefix'> {
  return {
    plan,
    warmsUp,
    functions: slices.map(({ fn, target }) => publishedVersion(fn, target)),
    ...(preprocess && { preprocess: ownFunction(preprocess) }),
    ...(postprocess && { postprocess: ownFunction(postprocess) }),
  };
}
