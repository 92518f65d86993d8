/** The props of a pipeline. */
import type { Duration } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { SliceFunctionOptions } from '../aws/slice-function-options';
import type { Consolidation, TensorStore, WarmUp } from './choices';
import type { InferenceProps } from './inference-props';
import type { Slicing } from './slicing';

/** Properties of `SlicedInferencePipeline`. */
export interface SlicedInferencePipelineProps extends InferenceProps {
  /**
   * How the model is cut into slices.
   *
   * @default Slicing.automatic() - as few slices as fit functions of 3,008 MB
   */
  readonly slicing?: Slicing;

  /**
   * Type of the state machine. Express executions cost less and are limited to five minutes. Changing the type replaces
   * the state machine.
   *
   * @default sfn.StateMachineType.EXPRESS
   */
  readonly stateMachineType?: sfn.StateMachineType;

  /**
   * Timeout of an execution, 1 second or more. An Express state machine allows at most 5 minutes.
   *
   * @default - 5 minutes; for a Standard state machine the sum of the functions' timeouts if that is longer
   */
  readonly timeout?: Duration;

  /**
   * Whether the functions of later slices load their weights while the first slice runs.
   *
   * @default WarmUp.AUTOMATIC
   */
  readonly warmUp?: WarmUp;

  /**
   * Whether one function also has the whole model, and serves the runs that find it warm. `ALWAYS` cannot be combined with
   * `slicedModel`.
   *
   * @default Consolidation.AUTOMATIC
   */
  readonly consolidation?: Consolidation;

  /**
   * Whether a slice hands on small tensors in the state of the execution, instead of an object in S3. The planner chooses
   * these slices by the sizes that it expects: at most 48 KiB as base64. If the tensors of a run are larger, they are in S3. Results are
   * the same bits. Step Functions keeps the state of a Standard execution for 90 days, and encrypts it with a key that AWS owns.
   * CDK does not know the key of a bucket that is imported without its `encryptionKey`: set false if it has one.
   *
   * @default - true; false if the bucket has a KMS key that CDK knows (encryptionKey), because the state has no such key
   */
  readonly tensorsInState?: boolean;

  /**
   * Settings of all slice functions.
   *
   * @default - memory, timeout and `/tmp` of each function come from the plan
   */
  readonly sliceFunctions?: SliceFunctionOptions;

  /**
   * Settings of individual slice functions, by slice name. They replace the settings in `sliceFunctions` one by one.
   * `slice-00` is the first slice; `plan.json` and the construct ids use the same names. `whole` is the function of the whole
   * model of a pipeline with consolidation, which takes only `environment` from `sliceFunctions`.
   *
   * @default - all functions use `sliceFunctions`
   */
  readonly sliceFunctionOverrides?: { [slice: string]: SliceFunctionOptions };

  /**
   * Where the tensors between slices are stored.
   *
   * @default TensorStore.s3Standard()
   */
  readonly tensorStore?: TensorStore;

  /**
   * How long the tensors between slices are kept, in whole days. It cannot be combined with `bucket`, unless
   * `tensorStore` is S3 Express One Zone.
   *
   * @default Duration.days(1)
   */
  readonly intermediateRetention?: Duration;

  /**
   * What the state machine logs. Inputs and outputs of executions are never logged.
   *
   * @default sfn.LogLevel.ERROR
   */
  readonly logLevel?: sfn.LogLevel;

  /**
   * A function that turns the execution's input, which can be any JSON, into a request
   * (docs/requests-and-results.md). If the function fails, the run fails. It has no permission to put tensors into S3: grant it
   * with `pipeline.grantWriteInputs(fn)`.
   *
   * @default - the execution's input is the request
   */
  readonly preprocess?: lambda.IFunction;

  /**
   * A function that turns the pipeline's output (docs/requests-and-results.md) into the execution's output, which can be
   * any JSON. It has no permission to read results in S3: grant it with `pipeline.grantReadOutputs(fn)`.
   *
   * @default - the execution's output is the output of the last slice
   */
  readonly postprocess?: lambda.IFunction;
}
