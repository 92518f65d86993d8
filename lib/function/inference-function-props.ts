/** The props of a function. */
import type { SliceFunctionOptions } from '../aws/slice-function-options';
import type { InferenceProps } from '../pipeline/inference-props';
import type { InferenceHandler } from './inference-handler';

/** Properties of `InferenceFunction`: those of a pipeline that a function has too, and those of a Lambda function. */
export interface InferenceFunctionProps extends InferenceProps, SliceFunctionOptions {
  /**
   * A function of yours that turns the call's event, which can be any JSON, into a request (docs/requests-and-results.md). It runs inside the
   * call, while the model loads.
   *
   * @default - the event is the request
   */
  readonly preprocess?: InferenceHandler;

  /**
   * A function of yours that turns the output (docs/requests-and-results.md) into the call's answer, which can be any JSON. It runs inside the
   * call.
   *
   * @default - the answer is the output
   */
  readonly postprocess?: InferenceHandler;

  /**
   * Whether the function also has a URL. Callers must sign their requests with AWS credentials of a principal with `grantInvoke`. The body of
   * a POST is what a call's event is.
   *
   * @default false
   */
  readonly functionUrl?: boolean;
}
