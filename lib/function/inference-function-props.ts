/** The props of a function. */
import type { SliceFunctionOptions } from '../aws/slice-function-options';
import type { InferenceProps } from '../pipeline/inference-props';
import type { InferenceHandler } from './inference-handler';

/** Properties of `InferenceFunction`: those of a pipeline that a function has too, and those of a Lambda function. */
export interface InferenceFunctionProps extends InferenceProps, SliceFunctionOptions {
  /**
   * Your code that makes a request (docs/requests-and-results.md) of the call's event. The event can be any JSON. The code runs inside the
   * call, while the model loads.
   *
   * @default - the event is the request
   */
  readonly preprocess?: InferenceHandler;

  /**
   * Your code that makes the call's answer of the output (docs/requests-and-results.md). The answer can be any JSON. The code runs inside
   * the call.
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
