/** Refuses props that cannot be, alone or together. What CDK knows at deployment only is left to it. */
import type { Duration } from 'aws-cdk-lib';
import { RemovalPolicy, Token } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { SlicedInferenceError, printable, quoted } from '../errors';
import { GraphOptimization } from './graph-optimization';
import { knownAtSynth } from './known-at-synth';
import type { SlicedInferencePipelineProps } from './pipeline-props';
import { MAX_EXPRESS_MINUTES } from '../aws/quotas';
import { Slicing } from './slicing';
import { WarmUp } from './warm-up';

/** The bundled handler is compiled for this version. */
const OLDEST_NODE_RUNTIME = 20;

/** @throws SlicedInferenceError for props that cannot be, alone or together */
export function checkProps(props: SlicedInferencePipelineProps): void {
  checkChoices(props);
  if (props.slicedModel === undefined) checkModelPath(props.modelPath);
  else checkCutBefore(props);
  checkRuntime(props.runtime);
  checkBucket(props);
  checkTensorStore(props);
  checkTimeout(props);
}

/** From JavaScript and other languages anything may come. */
function checkChoices(props: SlicedInferencePipelineProps): void {
  const { logRetention, architecture, slicing, dimensions = {} } = props;
  for (const [name, size] of Object.entries(dimensions))
    knownAtSynth(size, `the size of dimension ${quoted(name)}`);
  const choices: [name: string, value: unknown, known: readonly unknown[]][] = [
    ['graphOptimization', props.graphOptimization, Object.values(GraphOptimization)],
    ['warmUp', props.warmUp, Object.values(WarmUp)],
    ['stateMachineType', props.stateMachineType, Object.values(sfn.StateMachineType)],
    ['logLevel', props.logLevel, Object.values(sfn.LogLevel)],
    ['removalPolicy', props.removalPolicy, Object.values(RemovalPolicy)],
    ['architecture', architecture?.name, [lambda.Architecture.X86_64.name, lambda.Architecture.ARM_64.name]],
  ];
  for (const [name, value, known] of choices) checkChoice(name, value, known);
  // Members of this enumeration are numbers of days.
  if (
    logRetention !== undefined &&
    !Token.isUnresolved(logRetention) &&
    !(logRetention in logs.RetentionDays)
  ) {
    throw new SlicedInferenceError(
      'logRetention must be one of logs.RetentionDays',
      printable(String(logRetention)),
      'use one of its members',
    );
  }
  if (slicing === undefined || slicing instanceof Slicing) return;
  throw new SlicedInferenceError(
    'slicing must be made by Slicing',
    typeof slicing,
    'use Slicing.count(4), for example',
  );
}

function checkChoice(name: string, value: unknown, known: readonly unknown[]): void {
  if (value === undefined || known.includes(value)) return;
  throw new SlicedInferenceError(
    `${name} must be one of ${known.join(', ')}`,
    Token.isUnresolved(value) ? 'a CDK token' : printable(JSON.stringify(value)),
    'use one of these',
  );
}

function checkTimeout({ timeout, stateMachineType }: SlicedInferencePipelineProps): void {
  if (!timeout || timeout.isUnresolved()) return;
  const seconds = timeout.toSeconds({ integral: false });
  if (seconds < 1) {
    throw new SlicedInferenceError(
      'timeout must be a second or more',
      timeout.toHumanString(),
      'lengthen it',
    );
  }
  if (stateMachineType === sfn.StateMachineType.STANDARD || seconds <= MAX_EXPRESS_MINUTES * 60) return;
  throw new SlicedInferenceError(
    `timeout of an Express state machine must be at most ${MAX_EXPRESS_MINUTES} minutes`,
    timeout.toHumanString(),
    'shorten it or set stateMachineType to STANDARD',
  );
}

/** From JavaScript and other languages anything may come. */
function checkModelPath(modelPath: unknown): void {
  if (modelPath === undefined) {
    throw new SlicedInferenceError(
      'a pipeline must have a model',
      'neither modelPath nor slicedModel',
      'give one of them',
    );
  }
  if (typeof modelPath !== 'string' || modelPath === '') {
    throw new SlicedInferenceError(
      'modelPath must be the path of an ONNX model',
      modelPath === '' ? 'an empty one' : typeof modelPath,
      'give the path of a file on this machine',
    );
  }
  if (!Token.isUnresolved(modelPath)) return;
  throw new SlicedInferenceError(
    'modelPath must be a path that is known at synth time',
    'a CDK token',
    'give the path of a file on this machine',
  );
}

/** What was decided when the model was cut cannot be decided again. */
const DECIDED_WHEN_CUT = ['modelPath', 'slicing', 'dimensions', 'graphOptimization'] as const;

function checkCutBefore(props: SlicedInferencePipelineProps): void {
  const given = DECIDED_WHEN_CUT.filter((name) => props[name] !== undefined);
  if (given.length === 0) return;
  throw new SlicedInferenceError(
    'slicedModel must come without what was decided when it was cut',
    `${given.join(', ')} too`,
    'leave it out, or slice the model again',
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

/** A directory bucket takes one key of its own kind of permissions: what a key was asked for must not lie beside it. */
function checkTensorStore(props: SlicedInferencePipelineProps): void {
  const key = props.encryptionKey ?? props.bucket?.encryptionKey;
  if (!key || !storesInExpress(props)) return;
  throw new SlicedInferenceError(
    'tensors in S3 Express One Zone must be encrypted with keys of S3',
    'a key of your own for the other tensors',
    'leave the key out, or tensorStore',
  );
}

/** What is said of the bucket that the pipeline makes. */
const OF_OWN_BUCKET = [
  ['encryptionKey', 'encrypt a bucket', 'encrypt your bucket yourself'],
  ['intermediateRetention', 'be of a bucket', 'give your bucket a lifecycle rule'],
  ['outputRetention', 'be of a bucket', 'give your bucket a lifecycle rule'],
  ['autoDeleteObjects', 'empty a bucket', 'set it at your bucket'],
] as const;

function checkBucket(props: SlicedInferencePipelineProps): void {
  for (const [name, verb, advice] of props.bucket ? OF_OWN_BUCKET : []) {
    if (props[name] === undefined || props[name] === false) continue;
    if (name === 'intermediateRetention' && storesInExpress(props)) continue;
    throw new SlicedInferenceError(
      `${name} must ${verb} that the pipeline makes`,
      'a bucket of your own too',
      `${advice} and leave ${name} out`,
    );
  }
  for (const name of ['intermediateRetention', 'outputRetention'] as const) checkRetention(name, props[name]);
  if (props.autoDeleteObjects !== true || props.removalPolicy === RemovalPolicy.DESTROY) return;
  throw new SlicedInferenceError(
    'autoDeleteObjects must come with removalPolicy DESTROY',
    props.removalPolicy ?? 'no removalPolicy',
    'set that too, or leave autoDeleteObjects out',
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
    'give days',
  );
}
