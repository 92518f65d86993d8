/** Which names an execution may have. */
import { MAX_EXECUTION_NAME } from './limits';

/**
 * White space, brackets, wildcards, special, control and invalid characters.
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html#StepFunctions-StartExecution-request-name
 */

const FORBIDDEN =
  /[\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f\ufffe\uffff\ud800-\udfff]|\u{10ffff}/u;

export function isExecutionName(name: string): boolean {
  return name.length > 0 && name.length <= MAX_EXECUTION_NAME && !FORBIDDEN.test(name);
}
