/**
 * The errors of the Step Functions API. A documented message is AWS's; the names are in
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_Operations.html and CommonErrors.html beside it.
 */

/** Of all other errors: 400. */
const STATUS: ReadonlyMap<string, number> = new Map([
  ['ExpiredTokenException', 403],
  ['IncompleteSignatureException', 403],
  ['InvalidSignatureException', 403],
  ['InternalFailure', 500],
  ['MissingAuthenticationTokenException', 403],
  ['RequestEntityTooLargeException', 413],
  ['UnrecognizedClientException', 403],
]);

export class ApiError extends Error {
  constructor(
    override readonly name: string,
    message: string,
  ) {
    super(message);
  }

  get status(): number {
    return STATUS.get(this.name) ?? 400;
  }
}

export function typeNotSupported(): ApiError {
  return new ApiError(
    'StateMachineTypeNotSupported',
    'This operation is not supported by this type of state machine',
  );
}
