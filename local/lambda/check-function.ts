/** Refuses functions that Lambda would not create: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html */
import type { FunctionResource } from '../cloudformation/resources';
import { LocalCloudError } from '../local-cloud-error';

const MAX_ENVIRONMENT_BYTES = 4096;

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime */
const RESERVED =
  /^(_HANDLER|_X_AMZN_TRACE_ID|AWS_(DEFAULT_REGION|REGION|EXECUTION_ENV|ACCESS_KEY(_ID)?|SECRET_ACCESS_KEY|SESSION_TOKEN)|AWS_LAMBDA_(FUNCTION_(NAME|MEMORY_SIZE|VERSION)|INITIALIZATION_TYPE|LOG_(GROUP|STREAM)_NAME|RUNTIME_API)|LAMBDA_(TASK_ROOT|RUNTIME_DIR))$/;

export function checkFunction({ logicalId, environment, ...fn }: FunctionResource): void {
  const refuse = (what: string, expected: string, got: string | number): LocalCloudError =>
    new LocalCloudError(`${what} of the function '${logicalId}' must ${expected}, got ${got}: change it`);
  const ranges = [
    ['the memory size', fn.memoryMegabytes, 128, 10_240],
    ['the ephemeral storage size', fn.ephemeralStorageMegabytes, 512, 10_240],
    ['the timeout', fn.timeoutSeconds, 1, 900],
  ] as const;
  for (const [what, value, least, most] of ranges) {
    if (Number.isInteger(value) && value >= least && value <= most) continue;
    throw refuse(what, `be an integer of ${least} to ${most}`, value);
  }
  const reserved = Object.keys(environment).find((name) => RESERVED.test(name));
  if (reserved !== undefined) throw refuse('a variable', 'not have a name that Lambda sets', reserved);
  const bytes = Buffer.byteLength(JSON.stringify(environment));
  if (bytes <= MAX_ENVIRONMENT_BYTES) return;
  throw refuse('the environment', `have at most ${MAX_ENVIRONMENT_BYTES} bytes`, bytes);
}
