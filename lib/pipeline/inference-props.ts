/** The props that all constructs with a model have. */
import type { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type { GraphOptimization, Prepacking } from './choices';
import type { SlicedModel } from './sliced-model';

/** Properties that `SlicedInferencePipeline` and `InferenceFunction` share. */
export interface InferenceProps {
  /**
   * Path of the ONNX model, absolute or relative to the working directory of the CDK app. The construct reads the model
   * at synth time. External data must be in the model's folder. Set either `modelPath` or `slicedModel`.
   *
   * @default - the model comes from `slicedModel`
   */
  readonly modelPath?: string;

  /**
   * A model that `sliced-inference slice` has already cut. Slicing, dimensions and graph optimization were fixed at
   * that time, so `slicing`, `dimensions` and `graphOptimization` cannot be set too. Set either `modelPath` or
   * `slicedModel`.
   *
   * @default - the model comes from `modelPath`
   */
  readonly slicedModel?: SlicedModel;

  /**
   * Sizes of the model's symbolic dimensions, by name. Memory and cuts are planned for these sizes. A dimension without
   * a name is called by its input and index: `x[2]` is the third dimension of input `x`. Requests may have other sizes;
   * larger ones may need more memory than the functions have.
   *
   * @default - typical sizes, such as batch 1, sequence 128, and height and width 640, with a warning
   */
  readonly dimensions?: { [name: string]: number };

  /**
   * How far ONNX Runtime optimizes the whole model at synth time, before the model is cut. At every level but `NONE`
   * the result depends on the processor of the machine that synthesizes, and so does the template.
   *
   * @default GraphOptimization.NONE
   */
  readonly graphOptimization?: GraphOptimization;

  /**
   * Processor architecture of the slice functions.
   *
   * @default lambda.Architecture.X86_64
   */
  readonly architecture?: lambda.Architecture;

  /**
   * Node.js runtime of the slice functions, Node.js 20 or newer. If CDK has no constant for it, pass for example
   * `new lambda.Runtime('nodejs26.x', lambda.RuntimeFamily.NODEJS)`.
   *
   * @default lambda.Runtime.NODEJS_24_X
   */
  readonly runtime?: lambda.Runtime;

  /**
   * Whether ONNX Runtime rewrites weights for its kernels when a function loads its slice.
   *
   * @default Prepacking.AUTOMATIC
   */
  readonly prepacking?: Prepacking;

  /**
   * Bucket for requests, intermediate tensors and results. The pipeline writes below `runs/` and `outputs/` and deletes
   * nothing, so add lifecycle rules to your bucket. Pipelines that share a bucket may read each other's tensors.
   *
   * @default - a private, encrypted bucket that expires runs after 1 day, and requests and results after 7 days
   */
  readonly bucket?: s3.IBucket;

  /**
   * KMS key that encrypts the pipeline's bucket. It cannot be combined with `bucket`, which has its own encryption, or
   * with `TensorStore.s3ExpressOneZone`.
   *
   * @default - encryption with keys that S3 manages
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * KMS key of the bucket that CDK assets are deployed through. Set it if your bootstrap bucket is encrypted with a
   * customer managed key; the slice functions are then allowed to decrypt with it. It cannot be combined with
   * `SlicedModel.fromBucket`, which takes the key from its bucket.
   *
   * @default - the bootstrap bucket has no customer managed key
   */
  readonly assetEncryptionKey?: kms.IKey;

  /**
   * How long requests and results are kept, in whole days. It cannot be combined with `bucket`.
   *
   * @default Duration.days(7)
   */
  readonly outputRetention?: Duration;

  /**
   * What happens to the pipeline's bucket and log groups when they are removed from the stack. With `RETAIN` they also
   * remain after a first deployment that fails, and the next deployment fails because the state machine's log group
   * already exists.
   *
   * @default RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * Whether the bucket is emptied before CloudFormation deletes it. CloudFormation cannot delete a bucket that has
   * objects. It requires `removalPolicy` to be `DESTROY`, cannot be combined with `bucket`, and adds a Lambda function
   * of CDK to the stack.
   *
   * @default false
   */
  readonly autoDeleteObjects?: boolean;

  /**
   * VPC of the slice functions. They must be able to reach S3 from it: through a gateway endpoint, which is free, or
   * through a NAT gateway, which charges for each GB of weights and tensors.
   *
   * @default - the functions are not attached to a VPC of your account
   */
  readonly vpc?: ec2.IVpc;

  /**
   * Subnets of `vpc` that the functions are attached to.
   *
   * @default - the private subnets with egress, or the isolated subnets if the VPC has none
   */
  readonly vpcSubnets?: ec2.SubnetSelection;

  /**
   * Security groups of the functions. They must allow outbound HTTPS to S3. A group that allows it only to the prefix
   * list of S3 is stricter than the default.
   *
   * @default - one group for all functions, without inbound rules, that allows outbound HTTPS to any IPv4 address
   */
  readonly securityGroups?: ec2.ISecurityGroup[];

  /**
   * How long the logs of the functions and of the state machine are kept.
   *
   * @default logs.RetentionDays.ONE_MONTH
   */
  readonly logRetention?: logs.RetentionDays;

  /**
   * KMS key that encrypts the logs of the functions and of the state machine. The construct adds a statement for
   * CloudWatch Logs to the key's policy. CDK cannot change the policy of an imported key: add the statement yourself.
   *
   * @default - encryption by CloudWatch Logs with a key of its own
   */
  readonly logEncryptionKey?: kms.IKey;

  /**
   * Whether X-Ray traces executions: their states and the calls of slice functions. The functions send no subsegments:
   * their logs and the output of each execution hold the times that they spent loading, reading, running and writing.
   *
   * @default true
   */
  readonly tracing?: boolean;

  /**
   * Whether each call of a slice function also reports CloudWatch metrics: cold starts, the times of loading, reading,
   * running and writing, bytes and memory. `metricSlice` returns them. CloudWatch charges $0.30 a month for each
   * metric, and each slice has eight. The logs of the functions and the output of each execution hold the same figures
   * anyway.
   *
   * @default false
   */
  readonly sliceMetrics?: boolean;
}
