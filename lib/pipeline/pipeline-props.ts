/** What a pipeline can be asked for. */
import type { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { SliceFunctionOptions } from '../aws/slice-function-options';
import type { GraphOptimization } from './graph-optimization';
import type { SlicedModel } from './sliced-model';
import type { Slicing } from './slicing';
import type { TensorStore } from './tensor-store';
import type { WarmUp } from './warm-up';

/** Properties of `SlicedInferencePipeline`. */
export interface SlicedInferencePipelineProps {
  /**
   * Path of an ONNX model, absolute or relative to the working directory of the CDK app. External data must lie
   * in the model's folder. It is read at synth time.
   *
   * @default - exactly one of `modelPath` and `slicedModel` is given
   */
  readonly modelPath?: string;

  /**
   * A model that was cut before, with `sliced-inference slice`. How it is cut, optimized and planned was said then:
   * not together with `slicing`, `dimensions` or `graphOptimization`.
   *
   * @default - exactly one of `modelPath` and `slicedModel` is given
   */
  readonly slicedModel?: SlicedModel;

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
   * How far ONNX Runtime optimizes the whole model, at synth, before it is cut. What it fuses depends on the
   * processor that synthesizes, and so does the template, unless the level is `NONE`.
   *
   * @default GraphOptimization.NONE
   */
  readonly graphOptimization?: GraphOptimization;

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
   * @default - 5 minutes; in a Standard machine as long as the calls of all functions may take, where that is more
   */
  readonly timeout?: Duration;

  /**
   * Whether the functions of later slices load their weights while the first slice runs.
   *
   * @default WarmUp.AUTOMATIC
   */
  readonly warmUp?: WarmUp;

  /**
   * Whether float32 tensors between slices are sent as float16: half the bytes, at the cost of identity with the whole
   * model. A value keeps 11 significant bits, so that it is off by 0.05 % of itself at most, or by 3e-8 where it is below
   * 6.1e-5 in size. A tensor with a finite value above 65,504 is sent as it is. Requests are not touched, nor
   * are results, but for those that an earlier slice than the last makes.
   *
   * @default false
   */
  readonly float16Transport?: boolean;

  /**
   * Settings of all slice functions.
   *
   * @default - memory, timeout and `/tmp` of each function come from the plan
   */
  readonly sliceFunctions?: SliceFunctionOptions;

  /**
   * Settings of single slice functions, in place of those of all. Slices are named as in `plan.json` and by their
   * constructs: `slice-00` is the first.
   *
   * @default - none
   */
  readonly sliceFunctionOverrides?: { [slice: string]: SliceFunctionOptions };

  /**
   * Bucket for requests, intermediate tensors and results. Give it lifecycle rules: the pipeline writes below
   * `runs/` and `outputs/` and deletes nothing. Pipelines that share a bucket may read each other's tensors.
   *
   * @default - a private, encrypted bucket whose objects expire: runs after a day, requests and results after seven
   */
  readonly bucket?: s3.IBucket;

  /**
   * Where the tensors between slices are kept.
   *
   * @default TensorStore.s3Standard()
   */
  readonly tensorStore?: TensorStore;

  /**
   * Key that encrypts the pipeline's bucket. Not together with `bucket`, which has its own.
   *
   * @default - S3-managed encryption
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * Key of the bucket that the slices are deployed through: the bootstrap bucket, where it was bootstrapped with a
   * customer managed key. The slice functions are allowed to decrypt with it. A `SlicedModel.fromBucket` has its key at
   * its bucket.
   *
   * @default - the bootstrap bucket is encrypted with a key of S3 or of AWS
   */
  readonly assetEncryptionKey?: kms.IKey;

  /**
   * How long the tensors between slices are kept, in whole days. Not together with `bucket`.
   *
   * @default Duration.days(1)
   */
  readonly intermediateRetention?: Duration;

  /**
   * How long requests and results are kept, in whole days. Not together with `bucket`.
   *
   * @default Duration.days(7)
   */
  readonly outputRetention?: Duration;

  /**
   * What becomes of the bucket and of the log groups when they leave the stack. With `RETAIN` a first deployment that
   * fails leaves them behind too, and the next one finds the state machine's log group taken.
   *
   * @default RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * Whether the bucket is emptied when it leaves the stack, without which CloudFormation deletes it only where it is
   * empty. It needs `removalPolicy` to be `DESTROY`, and adds a function of CDK's to the stack. Not together with
   * `bucket`.
   *
   * @default false
   */
  readonly autoDeleteObjects?: boolean;

  /**
   * VPC that the slice functions run in. From there they must reach S3: through a gateway endpoint, which is free, or
   * a NAT gateway, which charges for each GB of weights and tensors.
   *
   * @default - no VPC of yours
   */
  readonly vpc?: ec2.IVpc;

  /**
   * Subnets of the VPC that the functions are attached to.
   *
   * @default - the private subnets, those with a way out first
   */
  readonly vpcSubnets?: ec2.SubnetSelection;

  /**
   * Security groups of the functions, which must let HTTPS out to S3. One that does so to the prefix list of S3 alone is
   * tighter than the default.
   *
   * @default - one for all functions, which lets nothing in and only HTTPS out, to anywhere
   */
  readonly securityGroups?: ec2.ISecurityGroup[];

  /**
   * How long the logs of the functions and of the state machine are kept.
   *
   * @default logs.RetentionDays.ONE_MONTH
   */
  readonly logRetention?: logs.RetentionDays;

  /**
   * Key that encrypts the logs of the functions and of the state machine. CloudWatch Logs is allowed to use it in its
   * policy; the policy of an imported key must say so itself.
   *
   * @default - encryption by CloudWatch Logs with a key of its own
   */
  readonly logEncryptionKey?: kms.IKey;

  /**
   * What the state machine logs. Inputs and outputs of executions are never logged.
   *
   * @default sfn.LogLevel.ERROR
   */
  readonly logLevel?: sfn.LogLevel;

  /**
   * Whether X-Ray traces the executions: when each state began and ended. The functions themselves are not traced; how long
   * they loaded, read, ran and wrote is in the output of each execution.
   *
   * @default true
   */
  readonly tracing?: boolean;

  /**
   * Whether each call of a slice also leaves metrics in CloudWatch: cold starts, the times of loading, reading, running and
   * writing, bytes and memory; `metricSlice` names them. They cost $0.30 each a month, eight of them for each slice. The
   * same figures are in the logs of the functions and in the output of each execution in any case.
   *
   * @default false
   */
  readonly sliceMetrics?: boolean;

  /**
   * A function of yours that makes the request. It gets the execution's input, whatever that is, and returns an input
   * of the form that the README describes. A failure of it is a failure of the run.
   *
   * @default - the execution's input is the request
   */
  readonly preprocess?: lambda.IFunction;

  /**
   * A function of yours that makes the execution's output. It gets the output of the form that the README describes and
   * may return anything. It is not granted the results in S3: `pipeline.grantReadOutputs(fn)` does.
   *
   * @default - the execution's output is that of the last slice
   */
  readonly postprocess?: lambda.IFunction;
}
