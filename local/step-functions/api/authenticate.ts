/** Identifies the caller of a request, and verifies the signature. */
import type * as http from 'node:http';
import { hash } from 'node:crypto';
import { SignatureError, type SignatureFault, verifySignature } from '../../http/signature-v4';
import type { Caller, Callers } from '../../s3/callers';
import { ApiError } from './api-error';

/** https://docs.aws.amazon.com/step-functions/latest/apireference/CommonErrors.html */
const NAMES: Readonly<Partial<Record<SignatureFault, string>>> = {
  'no-signature': 'MissingAuthenticationTokenException',
  'other-algorithm': 'IncompleteSignatureException',
  malformed: 'IncompleteSignatureException',
  'unknown-key': 'UnrecognizedClientException',
  'invalid-token': 'UnrecognizedClientException',
  'expired-token': 'ExpiredTokenException',
};

/** @throws ApiError when the request is not signed by one of the callers, or by a function */
export function authenticate(
  message: http.IncomingMessage,
  body: string,
  callers: Callers,
  region: string,
): void {
  try {
    const { principal } = signingCaller(message, body, { callers, region, service: 'states' });
    if (principal?.kind !== 'identity' || principal.functionArn === undefined) return;
    // The role of a function would need permissions for Step Functions, which the local cloud does not evaluate.
    throw new ApiError(
      'AccessDeniedException',
      `the local cloud lets no function call Step Functions, got a request of ${principal.arn}`,
    );
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    throw new ApiError(NAMES[error.fault] ?? 'InvalidSignatureException', error.message, 403);
  }
}

/** @throws SignatureError when no known caller has signed the request with its body */
export function signingCaller(
  message: http.IncomingMessage,
  body: string | Buffer,
  { callers, region, service }: Record<'region' | 'service', string> & { readonly callers: Callers },
): Caller {
  const { key } = verifySignature(message, {
    find: (accessKeyId) => callers.find(accessKeyId),
    region,
    services: [service],
    payloadHash: hash('sha256', body),
  });
  return key.caller;
}
