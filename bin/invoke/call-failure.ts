/** Turns the error of a call into a line and an exit code. */
import { InferenceError, InferenceTimeoutError } from '../../client';
import { isSdkError, isThrottled } from '../../client/aws/failures';
import { oneLine, type SlicedInferenceError } from '../../lib/errors';
import { firstExplanation, NETWORK_ERRORS, sdkFailure } from '../aws/explain';
import { failureLine } from '../outputs/failure-line';
import { BAD_INPUT, FAILED } from '../process/exit-codes';
import { quantityText } from '../plan/figures';

export interface CallFailure {
  readonly line: string;
  readonly exitCode: number;
}

/**
 * @param grant the method that allows what the command does
 * @returns `undefined` for an error that is not about a call
 */
export function callFailure(
  error: unknown,
  stateMachineArn: string,
  grant = 'pipeline.grantInvoke',
): CallFailure | undefined {
  const cause = error instanceof InferenceError ? error.cause : undefined;
  const isOfExecution = error instanceof InferenceError && !(cause instanceof Error);
  // A function of the user may fail with the name of an error of AWS, which then is not about this call.
  const explained = isOfExecution ? undefined : explainAwsError(cause ?? error, stateMachineArn, grant);
  if (explained !== undefined)
    return { line: errorLine(explained.message, arnOf(error)), exitCode: BAD_INPUT };
  if (error instanceof InferenceTimeoutError) {
    return { line: errorLine(readableTimes(error.message), error.executionArn), exitCode: FAILED };
  }
  if (!(error instanceof InferenceError)) return undefined;
  if (error.executionArn === undefined) return { line: errorLine(error.message), exitCode: BAD_INPUT };
  if (error.name === 'InvalidOutput') {
    return { line: errorLine(error.message, error.executionArn), exitCode: FAILED };
  }
  return { line: failureLine(error.name, error, error.executionArn), exitCode: FAILED };
}

function arnOf(error: unknown): string | undefined {
  return error instanceof InferenceError ? error.executionArn : undefined;
}

/** The client counts milliseconds, and users write `10m`. */
function readableTimes(message: string): string {
  return message.replace(
    /\bwithin (\d+) ms\b/,
    (_, ms: string) => `within ${quantityText('milliseconds', Number(ms))}`,
  );
}

/** The words of the command, by those of the client. */
const FLAGS: readonly (readonly [option: string, flag: string])[] = [
  ['use invoke for', 'use --input-json for'],
  ['waitTimeout', '--timeout'],
  ['requestTimeout', '--request-timeout'],
  ['stopOnAbort', '--stop-on-abort'],
  ['maxResultBytes', '--max-result-bytes'],
];

/** In one line, with flags in place of options. */
function errorLine(message: string, executionArn?: string): string {
  const text = FLAGS.reduce((line, [option, flag]) => line.replace(option, flag), message);
  const end = executionArn === undefined || executionArn === '' ? '' : ` (execution ${executionArn})`;
  return `error: ${oneLine(`${text}${end}`)}`;
}

/** `… is not authorized to perform: states:StartExecution on resource: …`. */
const ACTION = /not authorized to perform: ?([\w-]+:\w+)/;

/** https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const UNTRUSTED = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
];

/** The error to throw in place of an error of the SDK; `undefined` for an error that is not about AWS. */
function explainAwsError(error: unknown, arn: string, grant: string): SlicedInferenceError | undefined {
  if (!(error instanceof Error)) return undefined;
  const failure = sdkFailure(error);
  const { name, status, reason } = failure;
  const [, , , region, account] = arn.split(':');
  return firstExplanation(failure, [
    [
      name === 'StateMachineDoesNotExist' || name === 'InvalidArn',
      `the state machine ${arn} must exist in account ${account} and region ${region}`,
      'copy the ARN from the outputs of the stack, and check that AWS_PROFILE belongs to this account',
    ],
    [
      name === 'AccessDenied' || name === 'AccessDeniedException' || status === 403,
      `${ACTION.exec(reason)?.[1] ?? 'the request to AWS'} must be allowed for ${arn} or its bucket`,
      `allow it in the policy of your role, as ${grant} does`,
    ],
    [isThrottled(error) || status === 503, `AWS must have capacity for ${arn}`, 'try again later'],
    [
      UNTRUSTED.includes(name),
      'the certificates of Step Functions and S3 must be trusted',
      'set NODE_EXTRA_CA_CERTS to the file of their certificate authority, for a local cloud with `. ./cloud.env`',
    ],
    [
      NETWORK_ERRORS.includes(name),
      `Step Functions and S3 must be reachable in region ${region}`,
      'check the region in the ARN, the network, the proxy, AWS_ENDPOINT_URL_SFN and AWS_ENDPOINT_URL_S3',
    ],
    [isSdkError(error), `AWS must accept the request for ${arn}`, 'check the ARN and your settings of AWS'],
  ]);
}
