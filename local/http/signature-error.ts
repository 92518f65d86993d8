/** Faults of signatures, which each service reports under its own names. */

export type SignatureFault =
  | 'no-signature'
  | 'other-algorithm'
  | 'malformed'
  | 'wrong-region'
  | 'wrong-service'
  | 'unknown-key'
  | 'invalid-token'
  | 'expired-token'
  | 'skewed'
  | 'not-valid-yet'
  | 'expired'
  | 'unsigned-headers'
  | 'no-match';

/** `message` is S3's message for the fault. */
export class SignatureError extends Error {
  constructor(
    readonly fault: SignatureFault,
    message: string,
    readonly fields: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}
