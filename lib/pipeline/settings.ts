/**
 * Checks what TypeScript and jsii cannot, ranges and rules between props, and applies the defaults. Values that are known only at deployment
 * are left to CloudFormation.
 */
import { RemovalPolicy, Token } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import { MAX_EXPRESS_MINUTES } from '../aws/quotas';
import { SlicedInferenceError, quoted } from '../errors';
import { Consolidation, Prepacking, WarmUp } from './choices';
import { knownAtSynth } from './known-at-synth';
import type { SlicedInferencePipelineProps } from './pipeline-props';

type Fault = readonly [what: string, got: string, advice: string];

export function checkProps(
  props: SlicedInferencePipelineProps | undefined,
): asserts props is SlicedInferencePipelineProps {
  // jsii passes no props at all if a caller in Python sets none.
  for (const faults of [ofModel, ofFunctions, ofStateMachine, ofBuckets, ofRetention])
    for (const fault of faults(props ?? {})) throw new SlicedInferenceError(...fault);
  knownAtSynth(props?.modelPath, 'modelPath');
  for (const [name, size] of Object.entries(props?.dimensions ?? {}))
    knownAtSynth(size, `the size of dimension ${quoted(name)}`);
}

/** Props that `sliced-inference slice` fixed when it cut the model. */
const FIXED_BY_SLICING = ['modelPath', 'slicing', 'dimensions', 'graphOptimization'] as const;

function* ofModel(props: SlicedInferencePipelineProps): Generator<Fault> {
  const { modelPath, slicedModel, consolidation } = props;
  const extra = FIXED_BY_SLICING.filter((name) => props[name] !== undefined);
  if (slicedModel !== undefined && extra.length > 0) {
    yield [
      'slicedModel cannot be combined with modelPath, slicing, dimensions or graphOptimization',
      extra.join(', '),
      'set slicedModel alone, or slice the model again with other settings',
    ];
  }
  if (slicedModel === undefined && modelPath === undefined)
    yield ['a pipeline must have a model', 'neither modelPath nor slicedModel', 'set one of them'];
  if (consolidation !== Consolidation.ALWAYS || slicedModel === undefined) return;
  yield [
    'Consolidation.ALWAYS cannot be combined with slicedModel',
    'slicedModel, which has no files of the whole model',
    'remove one of them',
  ];
}

/** The bundled handler is compiled for this version of Node.js. */
const OLDEST_NODE_RUNTIME = 20;

function* ofFunctions({ architecture, runtime }: SlicedInferencePipelineProps): Generator<Fault> {
  const known = [lambda.Architecture.X86_64.name, lambda.Architecture.ARM_64.name];
  if (architecture && !known.includes(architecture.name))
    yield [`architecture must be one of ${known.join(', ')}`, quoted(architecture.name), 'use one of these'];
  if (runtime === undefined || Token.isUnresolved(runtime.name)) return;
  const [, version] = /^nodejs(\d+)\.x$/.exec(runtime.name) ?? [];
  if (Number(version) >= OLDEST_NODE_RUNTIME) return;
  yield [
    `runtime must be Node.js ${OLDEST_NODE_RUNTIME} or newer`,
    runtime.name,
    'leave it out, or choose a newer Node.js',
  ];
}

function* ofStateMachine({ timeout, stateMachineType }: SlicedInferencePipelineProps): Generator<Fault> {
  if (!timeout || timeout.isUnresolved()) return;
  const seconds = timeout.toSeconds({ integral: false });
  if (!(seconds >= 1))
    yield ['timeout must be 1 second or more', timeout.toHumanString(), 'use a longer timeout'];
  if (stateMachineType === sfn.StateMachineType.STANDARD || seconds <= MAX_EXPRESS_MINUTES * 60) return;
  yield [
    `the timeout of an Express state machine must be at most ${MAX_EXPRESS_MINUTES} minutes`,
    timeout.toHumanString(),
    'shorten it or set stateMachineType to STANDARD',
  ];
}

/** Props that configure the bucket that the pipeline creates, and what to do if you pass your own. */
const PIPELINE_BUCKET_PROPS = [
  ['encryptionKey', 'set the key of your bucket'],
  ['intermediateRetention', 'add a lifecycle rule to your bucket'],
  ['outputRetention', 'add a lifecycle rule to your bucket'],
  ['autoDeleteObjects', 'set autoDeleteObjects of your bucket'],
] as const;

function* ofBuckets(props: SlicedInferencePipelineProps): Generator<Fault> {
  const storesInExpress = props.tensorStore?._availabilityZoneId !== undefined;
  for (const [name, advice] of props.bucket ? PIPELINE_BUCKET_PROPS : []) {
    if (props[name] === undefined || props[name] === false) continue;
    if (name === 'intermediateRetention' && storesInExpress) continue;
    yield [`${name} cannot be combined with bucket`, 'both', `${advice} instead, and leave this prop out`];
  }
  // The directory bucket is not encrypted with the pipeline's KMS key. If you set a key, tensors must not be stored in a bucket that
  // does not use it.
  if (keyOf(props) && storesInExpress) {
    yield [
      'tensors in S3 Express One Zone must be encrypted with keys that S3 manages',
      "a KMS key for the pipeline's bucket",
      'remove the key or tensorStore',
    ];
  }
}

/** S3 expires objects by the day. */
function* ofRetention(props: SlicedInferencePipelineProps): Generator<Fault> {
  for (const name of ['intermediateRetention', 'outputRetention'] as const) {
    const retention = props[name];
    if (retention === undefined || retention.isUnresolved()) continue;
    const days = retention.toDays({ integral: false });
    if (Number.isInteger(days) && days >= 1) continue;
    yield [`${name} must be a whole number of days, 1 or more`, retention.toHumanString(), 'use whole days'];
  }
}

export type PipelineSettings = ReturnType<typeof pipelineSettings>;

/** The KMS key of the pipeline's bucket. It encrypts tensors in S3, and none in the state of an execution. */
function keyOf({ encryptionKey, bucket }: SlicedInferencePipelineProps): kms.IKey | undefined {
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
    prepacking: props.prepacking ?? Prepacking.AUTOMATIC,
    consolidation: consolidationOf(props),
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

/** A `slicedModel` has the files of its slices only. */
function consolidationOf(props: SlicedInferencePipelineProps): Consolidation {
  const { consolidation = Consolidation.AUTOMATIC, slicedModel } = props;
  return slicedModel === undefined ? consolidation : Consolidation.NEVER;
}
