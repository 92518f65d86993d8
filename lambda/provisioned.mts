/**
 * The function with provisioned concurrency: its sandboxes start before calls come, so they also load the slice in the init phase. An ES
 * module, because Lambda waits only for the top-level `await` of one. Such a phase may take as long as a call, with at least 130 s:
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
 */
import { ENV } from '../contract/environment.js';
import type { SliceEvent } from '../contract/slice-event.js';
import { CONTRACT_VERSION } from '../contract/version.js';
import { handler } from './handler.js';
import { LONGEST_CALL_MS } from './whole-model.js';

const {
  AWS_LAMBDA_INITIALIZATION_TYPE: initialization,
  AWS_LAMBDA_FUNCTION_NAME: name,
  AWS_LAMBDA_FUNCTION_VERSION: version,
} = process.env;

// Calls beyond the provisioned ones start sandboxes whose init phase ends after 10 s.
if (initialization === 'provisioned-concurrency') {
  const event: SliceEvent = {
    version: CONTRACT_VERSION,
    deploymentDigest: process.env[ENV.deploymentDigest] ?? '',
    run: `${name}/provisioned`,
    warmUp: true,
  };
  const context = {
    getRemainingTimeInMillis: () => LONGEST_CALL_MS,
    invokedFunctionArn: `${name}:${version}`,
  };
  // The handler has logged the failure. The first call loads again.
  await handler(event, context).catch(() => undefined);
}

export { handler };
