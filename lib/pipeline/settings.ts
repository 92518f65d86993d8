/** Applies the defaults of the props. */
import { RemovalPolicy } from 'aws-cdk-lib';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Consolidation } from './consolidation';
import type { SlicedInferencePipelineProps } from './pipeline-props';
import { WarmUp } from './warm-up';

export type PipelineSettings = ReturnType<typeof pipelineSettings>;

/** The KMS key of the pipeline's bucket. It encrypts tensors in S3, and none in the state of an execution. */
export function keyOf({ encryptionKey, bucket }: SlicedInferencePipelineProps): kms.IKey | undefined {
  return encryptionKey ?? bucket?.encryptionKey;
}

export function pipelineSettings(props: SlicedInferencePipelineProps) {
  const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE;
  const expressZone = props.tensorStore?._availabilityZoneId;
  return {
    stateMachineType: props.stateMachineType ?? sfn.StateMachineType.EXPRESS,
    architecture: props.architecture ?? lambda.Architecture.X86_64,
    runtime: props.runtime ?? lambda.Runtime.NODEJS_24_X,
    warmUp: props.warmUp ?? WarmUp.AUTOMATIC,
    consolidation: consolidationOf(props),
    float16Transport: props.float16Transport ?? false,
    tensorsInState: props.tensorsInState ?? keyOf(props) === undefined,
    sliceMetrics: props.sliceMetrics ?? false,
    tracing: props.tracing ?? true,
    /** Availability zone id of the S3 Express One Zone bucket. Absent if tensors between slices are in S3 Standard. */
    ...(expressZone !== undefined && { expressZone }),
    removalPolicy,
    logs: {
      retention: props.logRetention ?? logs.RetentionDays.ONE_MONTH,
      removalPolicy,
      ...(props.logEncryptionKey && { encryptionKey: props.logEncryptionKey }),
    },
  };
}

/** float16 between slices changes bits, which the whole model would not. A `slicedModel` has the files of its slices only. */
function consolidationOf({
  consolidation = Consolidation.AUTOMATIC,
  float16Transport,
  slicedModel,
}: SlicedInferencePipelineProps): Consolidation {
  const isPossible = float16Transport !== true && slicedModel === undefined;
  return isPossible ? consolidation : Consolidation.NEVER;
}
