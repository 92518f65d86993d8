/** Explains a failed request of a call in one line: what was expected, what was got, what to do. */
import { isSdkError, isThrottled } from '../../client/aws/failures';
import { SlicedInferenceError } from '../../lib/errors';
import { explainCredentials, NETWORK_ERRORS, sdkFailure, type SdkFailure } from '../aws/sdk-failure';

type Explanation = (
  failure: SdkFailure,
  stateMachineArn: string,
  error: Error,
) => SlicedInferenceError | undefined;

/** Tried in order. The first that recognizes the failure explains it. */
const EXPLANATIONS: readonly Explanation[] = [
  explainCredentials,
  noStateMachine,
  denied,
  throttled,
  untrusted,
  unreachable,
];

/** The error to throw in place of an error of the SDK; `undefined` for an error that is not about AWS. */
export function explainAwsError(error: unknown, stateMachineArn: string): SlicedInferenceError | undefined {
  if (!(error instanceof Error)) return undefined;
  const failure = sdkFailure(error);
  for (const explain of EXPLANATIONS) {
    const explained = explain(failure, stateMachineArn, error);
    if (explained !== undefined) return explained;
  }
  if (!isSdkError(error)) return undefined;
  return new SlicedInferenceError(
    `AWS must accept the request for ${stateMachineArn}`,
    failure.reason,
    'check the ARN and your settings of AWS',
  );
}

const MISSING = ['StateMachineDoesNotExist', 'InvalidArn'];

function noStateMachine({ name, reason }: SdkFailure, arn: string): SlicedInferenceError | undefined {
  if (!MISSING.includes(name)) return undefined;
  const [, , , region, account] = arn.split(':');
  return new SlicedInferenceError(
    `the state machine ${arn} must exist in account ${account} and region ${region}`,
    reason,
    'copy the ARN from the outputs of the stack, and check that AWS_PROFILE belongs to this account',
  );
}

/** `… is not authorized to perform: states:StartExecution on resource: …`. */
const ACTION = /not authorized to perform: ?([\w-]+:\w+)/;

function denied({ name, status, reason }: SdkFailure, arn: string): SlicedInferenceError | undefined {
  const isDenied = name === 'AccessDenied' || name === 'AccessDeniedException' || status === 403;
  if (!isDenied) return undefined;
  return new SlicedInferenceError(
    `${ACTION.exec(reason)?.[1] ?? 'the request to AWS'} must be allowed for ${arn} or its bucket`,
    reason,
    'allow it in the policy of your role, as pipeline.grantInvoke does',
  );
}

function throttled(
  { status, reason }: SdkFailure,
  arn: string,
  error: Error,
): SlicedInferenceError | undefined {
  if (!isThrottled(error) && status !== 503) return undefined;
  return new SlicedInferenceError(`AWS must have capacity for ${arn}`, reason, 'try again later');
}

/** https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const UNTRUSTED = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
];

function untrusted({ name, reason }: SdkFailure): SlicedInferenceError | undefined {
  if (!UNTRUSTED.includes(name)) return undefined;
  return new SlicedInferenceError(
    'the certificates of Step Functions and S3 must be trusted',
    reason,
    'set NODE_EXTRA_CA_CERTS to the file of their certificate authority, for a local cloud with `. ./cloud.env`',
  );
}

function unreachable({ name, reason }: SdkFailure, arn: string): SlicedInferenceError | undefined {
  if (!NETWORK_ERRORS.includes(name)) return undefined;
  return new SlicedInferenceError(
    `Step Functions and S3 must be reachable in region ${arn.split(':')[3]}`,
    reason,
    'check the region in the ARN, the network, the proxy, AWS_ENDPOINT_URL_SFN and AWS_ENDPOINT_URL_S3',
  );
}
