/**
 * Checks what TypeScript and jsii cannot: ranges, and rules between props. Values that are known only at deployment are left to
 * CloudFormation.
 */
import { type Duration, RemovalPolicy, Token } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { MAX_EXPRESS_MINUTES } from '../aws/quotas';
import { SlicedInferenceError, quoted } from '../errors';
import { Consolidation } from './consolidation';
import { knownAtSynth } from './known-at-synth';
import type { SlicedInferencePipelineProps } from './pipeline-props';
import { keyOf } from './settings';

/** The bundled handler is compiled for this version of Node.js. */
const OLDEST_NODE_RUNTIME = 20;

/** @throws SlicedInferenceError for an invalid prop, or for props that cannot be combined */
export function checkProps(
  props: SlicedInferencePipelineProps | undefined,
): asserts props is SlicedInferencePipelineProps {
  // jsii passes no props at all if a caller in Python sets none.
  if (props === undefined) throw noModel();
  checkArchitecture(props.architecture);
  if (props.slicedModel === undefined) checkModelPath(props.modelPath);
  else checkSlicedModel(props);
  for (const [name, size] of Object.entries(props.dimensions ?? {})) {
    knownAtSynth(size, `the size of dimension ${quoted(name)}`);
  }
  checkRuntime(props.runtime);
  checkBucket(props);
  checkTensorStore(props);
  checkTimeout(props);
  checkConsolidation(props);
}

function checkArchitecture(architecture: lambda.Architecture | undefined): void {
  const known = [lambda.Architecture.X86_64.name, lambda.Architecture.ARM_64.name];
  if (architecture === undefined || known.includes(architecture.name)) return;
  throw new SlicedInferenceError(
    `architecture must be one of ${known.join(', ')}`,
    quoted(architecture.name),
    'use one of these',
  );
}

function checkConsolidation(props: SlicedInferencePipelineProps): void {
  if (props.consolidation !== Consolidation.ALWAYS) return;
  if (props.float16Transport) {
    throw new SlicedInferenceError(
      'Consolidation.ALWAYS must be combined with slices that send tensors unchanged',
      'float16Transport, with which slices compute other bits than the whole model',
      'remove one of them',
    );
  }
  if (props.slicedModel === undefined) return;
  throw new SlicedInferenceError(
    'Consolidation.ALWAYS must be combined with modelPath',
    'slicedModel, which has no files of the whole model',
    'set modelPath, or leave consolidation out',
  );
}

function checkTimeout({ timeout, stateMachineType }: SlicedInferencePipelineProps): void {
  if (!timeout || timeout.isUnresolved()) return;
  const seconds = timeout.toSeconds({ integral: false });
  if (!(seconds >= 1)) {
    throw new SlicedInferenceError(
      'timeout must be 1 second or more',
      timeout.toHumanString(),
      'use a longer timeout',
    );
  }
  if (stateMachineType === sfn.StateMachineType.STANDARD || seconds <= MAX_EXPRESS_MINUTES * 60) return;
  throw new SlicedInferenceError(
    `the timeout of an Express state machine must be at most ${MAX_EXPRESS_MINUTES} minutes`,
    timeout.toHumanString(),
    'shorten it or set stateMachineType to STANDARD',
  );
}

function checkModelPath(modelPath: string | undefined): void {
  if (modelPath === undefined) throw noModel();
  if (modelPath !== '' && !Token.isUnresolved(modelPath)) return;
  throw new SlicedInferenceError(
    'modelPath must be a path that is known at synth time',
    modelPath === '' ? 'an empty string' : 'a CDK token',
    'pass the path of a file on this machine',
  );
}

function noModel(): SlicedInferenceError {
  return new SlicedInferenceError(
    'a pipeline must have a model',
    'neither modelPath nor slicedModel',
    'set one of them',
  );
}

/** Props that `sliced-inference slice` fixed when it cut the model. */
const FIXED_BY_SLICING = ['modelPath', 'slicing', 'dimensions', 'graphOptimization'] as const;

function checkSlicedModel(props: SlicedInferencePipelineProps): void {
  const extra = FIXED_BY_SLICING.filter((name) => props[name] !== undefined);
  if (extra.length === 0) return;
  throw new SlicedInferenceError(
    'slicedModel cannot be combined with modelPath, slicing, dimensions or graphOptimization',
    extra.join(', '),
    'set slicedModel alone, or slice the model again with other settings',
  );
}

function checkRuntime(runtime: lambda.Runtime | undefined): void {
  if (runtime === undefined || Token.isUnresolved(runtime.name)) return;
  const [, version] = /^nodejs(\d+)\.x$/.exec(runtime.name) ?? [];
  if (Number(version) >= OLDEST_NODE_RUNTIME) return;
  throw new SlicedInferenceError(
    `runtime must be Node.js ${OLDEST_NODE_RUNTIME} or newer`,
    runtime.name,
    'leave it out, or choose a newer Node.js',
  );
}

function storesInExpress({ tensorStore }: SlicedInferencePipelineProps): boolean {
  return tensorStore?._availabilityZoneId !== undefined;
}

/**
 * The directory bucket is not encrypted with the pipeline's KMS key. If you set a key, tensors must not be stored in a
 * bucket that does not use it.
 */
function checkTensorStore(props: SlicedInferencePipelineProps): void {
  if (!keyOf(props) || !storesInExpress(props)) return;
  throw new SlicedInferenceError(
    'tensors in S3 Express One Zone must be encrypted with keys that S3 manages',
    "a KMS key for the pipeline's bucket",
    'remove the key or tensorStore',
  );
}

/** Props that configure the bucket that the pipeline creates, and what to do if you pass your own. */
const PIPELINE_BUCKET_PROPS = [
  ['encryptionKey', 'set the key of your bucket'],
  ['intermediateRetention', 'add a lifecycle rule to your bucket'],
  ['outputRetention', 'add a lifecycle rule to your bucket'],
  ['autoDeleteObjects', 'set autoDeleteObjects of your bucket'],
] as const;

function checkBucket(props: SlicedInferencePipelineProps): void {
  for (const [name, advice] of props.bucket ? PIPELINE_BUCKET_PROPS : []) {
    if (props[name] === undefined || props[name] === false) continue;
    if (name === 'intermediateRetention' && storesInExpress(props)) continue;
    throw new SlicedInferenceError(
      `${name} cannot be combined with bucket`,
      'both',
      `${advice} instead, and leave this prop out`,
    );
  }
  for (const name of ['intermediateRetention', 'outputRetention'] as const) checkRetention(name, props[name]);
  if (props.autoDeleteObjects !== true || props.removalPolicy === RemovalPolicy.DESTROY) return;
  throw new SlicedInferenceError(
    'autoDeleteObjects must be combined with removalPolicy DESTROY',
    props.removalPolicy ?? 'no removalPolicy',
    'set removalPolicy to DESTROY, or leave autoDeleteObjects out',
  );
}

/** S3 expires objects by the day. */
function checkRetention(name: string, retention: Duration | undefined): void {
  if (retention === undefined || retention.isUnresolved()) return;
  const days = retention.toDays({ integral: false });
  if (Number.isInteger(days) && days >= 1) return;
  throw new SlicedInferenceError(
    `${name} must be a whole number of days, 1 or more`,
    retention.toHumanString(),
    'use whole days',
  );
}
