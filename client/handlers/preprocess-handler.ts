/** Makes the handler of a `preprocess` function. */
import type { ExecutionInput } from '../../contract/execution';
import { failingIn } from './handler-failure';
import type { HandlerContext, WriteRequestOptions } from './handler-options';
import type { HandlerTensors } from './own-tensors';
import { writeRequest } from './write-request';

/**
 * Returns the handler of a Lambda function for `preprocess`: it turns the execution's input into the model's tensors.
 *
 * ```ts
 * export const handler = preprocessHandler((input) => {
 *   const { values } = input as { values: number[] };
 *   return { x: { shape: [1, values.length], data: Float32Array.from(values) } };
 * });
 * ```
 *
 * Tensors that do not fit into the request go into an object below `inputs/`; see `writeRequest`. If the function throws or returns
 * something else, the run fails with the error's name, and `parseFailureCause` finds the step and the message.
 * @param toTensors receives the execution's input, which nobody has checked
 */
export function preprocessHandler(
  toTensors: (input: unknown, context: HandlerContext) => HandlerTensors | Promise<HandlerTensors>,
  options: WriteRequestOptions = {},
): (input: unknown, context: HandlerContext) => Promise<ExecutionInput> {
  return (input, context) =>
    failingIn('preprocess', async () => {
      return await writeRequest(await toTensors(input, context), options);
    });
}
