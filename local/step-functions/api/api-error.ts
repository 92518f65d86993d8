/**
 * The errors of the Step Functions API. A documented message is AWS's; the names are in
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_Operations.html and CommonErrors.html beside it.
 */
export type ApiErrorName =
  | 'AccessDeniedException'
  | 'ExecutionAlreadyExists'
  | 'ExecutionDoesNotExist'
  | 'ExecutionNotRedrivable'
  | 'ExpiredTokenException'
  | 'IncompleteSignatureException'
  | 'InternalFailure'
  | 'InvalidArn'
  | 'InvalidExecutionInput'
  | 'InvalidName'
  | 'InvalidSignatureException'
  | 'InvalidToken'
  | 'MissingAuthenticationTokenException'
  | 'RequestEntityTooLargeException'
  | 'SerializationException'
  | 'StateMachineDoesNotExist'
  | 'StateMachineTypeNotSupported'
  | 'UnknownOperationException'
  | 'UnrecognizedClientException'
  | 'ValidationException';

const STATUS: Partial<Record<ApiErrorName, number>> = {
  ExpiredTokenException: 403,
  IncompleteSignatureException: 403,
  InvalidSignatureException: 403,
  InternalFailure: 500,
  MissingAuthenticationTokenException: 403,
  RequestEntityTooLargeException: 413,
  UnrecognizedClientException: 403,
};

export class ApiError extends Error {
  override readonly name: ApiErrorName;
  readonly status: number;

  constructor(name: ApiErrorName, message: string) {
    super(message);
    this.name = name;
    this.status = STATUS[name] ?? 400;
  }
}

export function typeNotSupported(): ApiError {
  return new ApiError(
    'StateMachineTypeNotSupported',
    'This operation is not supported by this type of state machine',
  );
}
