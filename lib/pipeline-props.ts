/** What a pipeline can be asked for, and what cannot be. */
import type { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Token } from 'aws-cdk-lib';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { SliceFunctionOptions } from './aws/slice-function';
import { SlicedInferenceError } from './errors';
import { MAX_EXPRESS_MINUTES } from './plan/quotas';
import type { GraphOptimization } from './graph-optimization';
import type { SlicedModel } from './sliced-model';
import type { Slicing } from './slicing';

/** The bundled handler is compiled for this version. */
const OLDEST_NODE_RUNTIME = 20;

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
   * A model that was cut before, with `sliced-inference slice`. How it is cut, optimised and planned was said then:
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
   * How far ONNX Runtime optimises the whole model, at synth, before it is cut. What it fuses depends on the
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
   * @default Duration.minutes(5)
   */
  readonly timeout?: Duration;

  /**
   * Settings of all slice functions.
   *
   * @default - memory, timeout and `/tmp` of each function come from the plan
   */
  readonly sliceFunctions?: SliceFunctionOptions;

  /**
   * Bucket for requests, intermediate tensors and results. Give it lifecycle rules: the pipeline writes below
   * `runs/` and `outputs/` and deletes nothing.
   *
   * @default - a private, encrypted bucket whose objects expire: runs after a day, requests and results after seven
   */
  readonly bucket?: s3.IBucket;

  /**
   * Key that encrypts the pipeline's bucket. Not together with `bucket`, which has its own.
   *
   * @default - S3-managed encryption
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * What becomes of the bucket and of the log groups when they leave the stack.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}

/** @throws SlicedInferenceError for props that cannot be, alone or together */
export function checkProps(props: SlicedInferencePipelineProps): void {
  if (props.slicedModel === undefined) checkModelPath(props.modelPath);
  else checkCutBefore(props);
  checkRuntime(props.runtime);
  if (props.bucket && props.encryptionKey) {
    throw new SlicedInferenceError(
      'encryptionKey must encrypt a bucket that the pipeline makes',
      'a bucket of your own too',
      'encrypt your bucket yourself and leave encryptionKey out',
    );
  }
  const isExpress = props.stateMachineType !== sfn.StateMachineType.STANDARD;
  if (!isExpress || !props.timeout || props.timeout.isUnresolved()) return;
  if (props.timeout.toMinutes({ integral: false }) > MAX_EXPRESS_MINUTES) {
    throw new SlicedInferenceError(
      `timeout of an Express state machine must be at most ${MAX_EXPRESS_MINUTES} minutes`,
      props.timeout.toHumanString(),
      'shorten it or set stateMachineType to STANDARD',
    );
  }
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
  if (runtime === undefined) return;
  const [, version] = /^nodejs(\d+)\.x$/.exec(runtime.name) ?? [];
  if (Number(version) >= OLDEST_NODE_RUNTIME) return;
  throw new SlicedInferenceError(
    `runtime must be Node.js ${OLDEST_NODE_RUNTIME} or newer`,
    runtime.name,
    'leave it out, or choose a newer Node.js',
  );
}
