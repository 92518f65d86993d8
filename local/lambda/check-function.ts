/** Refuses functions that Lambda would not create, in Lambda's words. */
import type { FunctionResource } from '../cloudformation/resources';
import { LocalCloudError } from '../local-cloud-error';

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime */
const RESERVED: ReadonlySet<string> = new Set([
  '_HANDLER',
  '_X_AMZN_TRACE_ID',
  'AWS_DEFAULT_REGION',
  'AWS_REGION',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_INITIALIZATION_TYPE',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_ACCESS_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_LAMBDA_RUNTIME_API',
  'LAMBDA_TASK_ROOT',
  'LAMBDA_RUNTIME_DIR',
]);

/** https://docs.aws.amazon.com/lambda/latest/api/API_Environment.html */
const VARIABLE_NAME = /^[a-zA-Z]([a-zA-Z0-9_])+$/;

const MAX_ENVIRONMENT_BYTES = 4096;

/** Characters of an environment that an error repeats. Lambda repeats all of them. */
const SHOWN_CHARACTERS = 80;

const UNABLE =
  'InvalidParameterValueException: Lambda was unable to configure your environment variables because the environment variables you have provided';

export function checkFunction(fn: FunctionResource): void {
  const refusal =
    environmentRefusal(fn) ??
    rangeRefusal('memorySize', fn.memoryMegabytes, 128, 10_240) ??
    rangeRefusal('ephemeralStorage.size', fn.ephemeralStorageMegabytes, 512, 10_240) ??
    rangeRefusal('timeout', fn.timeoutSeconds, 1, 900);
  if (refusal === undefined) return;
  throw new LocalCloudError(`the function '${fn.logicalId}' cannot be created: ${refusal}`);
}

/**
 * The words are those that https://github.com/github-aws-runners/terraform-aws-github-runner/issues/3594 and
 * https://github.com/mattermost/mattermost-cloud-monitoring/pull/264 quote, and for names those of Lambda's validation.
 */
function environmentRefusal({ environment }: FunctionResource): string | undefined {
  const names = Object.keys(environment);
  const reserved = names.filter((name) => RESERVED.has(name));
  if (reserved.length > 0) {
    return (
      `${UNABLE} contains reserved keys that are currently not supported for modification. ` +
      `Reserved keys used in this request: ${reserved.join(', ')}: rename them`
    );
  }
  const invalid = names.find((name) => !VARIABLE_NAME.test(name));
  if (invalid !== undefined) {
    return (
      `ValidationException: Value '{${invalid}=…}' at 'environment.variables' failed to satisfy constraint: Map keys must ` +
      'satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]: rename the variable'
    );
  }
  const measured = JSON.stringify(environment);
  const bytes = Buffer.byteLength(measured);
  if (bytes <= MAX_ENVIRONMENT_BYTES) return undefined;
  return (
    `${UNABLE} exceeded the 4KB limit. String measured: ${measured.slice(0, SHOWN_CHARACTERS)}…: ` +
    `shorten it from ${bytes} to ${MAX_ENVIRONMENT_BYTES} bytes`
  );
}

function rangeRefusal(name: string, value: number, least: number, most: number): string | undefined {
  if (Number.isInteger(value) && value >= least && value <= most) return undefined;
  const bound = value < least ? `greater than or equal to ${least}` : `less than or equal to ${most}`;
  return (
    `ValidationException: Value '${value}' at '${name}' failed to satisfy constraint: Member must have value ${bound}: ` +
    `use an integer of ${least} to ${most}`
  );
}
