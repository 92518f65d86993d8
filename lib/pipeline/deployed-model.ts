/** What a pipeline and a function have in common: a bucket, a plan, and what batches call. */
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Network } from '../aws/network';
import type { PipelineStates } from '../aws/workflow/states';
import type { BatchItem } from '../cost/batch-items';
import type { PipelinePlan } from './pipeline-plan';
import type { PipelineSettings } from './settings';
import { grantReader, grantWriter } from './storage';

/** What a batch needs of a model that a stack deploys. */
export interface Deployed {
  readonly workflow: PipelineStates;
  readonly settings: PipelineSettings;
  readonly network: Network | undefined;
  readonly bucket: s3.IBucket;
  /** Absent for a `slicedModel`. */
  readonly batchItem: BatchItem | undefined;
}

type MetricOf = (options?: cloudwatch.MetricOptions) => cloudwatch.Metric;

/** The runs of a model, as CloudWatch counts them. */
export interface RunMetrics {
  readonly started: MetricOf;
  /** Step Functions alone counts them. */
  readonly succeeded?: MetricOf;
  readonly failed: (options?: cloudwatch.MetricOptions) => cloudwatch.IMetric;
  /** Step Functions alone counts them apart from failed ones. */
  readonly timedOut?: MetricOf;
  readonly throttled: MetricOf;
  readonly time: MetricOf;
}

/** A model that a stack deploys: a `SlicedInferencePipeline` or an `InferenceFunction`. */
export abstract class DeployedModel extends Construct {
  /** The bucket that holds requests below `inputs/` and results below `outputs/`. */
  public abstract readonly bucket: s3.IBucket;

  /**
   * How the model is cut, with the memory and the bytes of each slice, and with the cost and latency of a run by the model of
   * cost. A function has one slice.
   */
  public abstract readonly plan: PipelinePlan;

  /** ARN that the clients call: that of the state machine, or of the function's alias. */
  public abstract readonly invokeArn: string;

  /** Path of the plan in the cloud assembly, on the machine that synthesizes. */
  public abstract readonly planPath: string;

  /** @internal */
  public abstract readonly _deployed: Deployed;

  /** @internal */
  public abstract readonly _runs: RunMetrics;

  /** @internal The functions by the names that graphs have. */
  public abstract readonly _functions: ReadonlyMap<string, lambda.Function>;

  /**
   * Grants a principal permission to call the model, to put requests below `inputs/` and to read results below `outputs/`.
   *
   * @param grantee the principal, for example a function or a role
   * @example
   * pipeline.grantInvoke(caller);
   */
  public abstract grantInvoke(grantee: iam.IGrantable): iam.Grant;

  /**
   * Grants a principal permission to read results, below `outputs/` in the bucket.
   *
   * @param grantee the principal, for example a function or a role
   * @example
   * pipeline.grantReadOutputs(caller);
   */
  public grantReadOutputs(grantee: iam.IGrantable): iam.Grant {
    return grantReader(this.bucket, grantee);
  }

  /**
   * Grants a principal permission to put requests below `inputs/` in the bucket, as a `preprocess` function does with large tensors.
   *
   * @param grantee the principal, for example a function or a role
   * @example
   * pipeline.grantWriteInputs(caller);
   */
  public grantWriteInputs(grantee: iam.IGrantable): iam.Grant {
    return grantWriter(this.bucket, grantee);
  }
}
