/** An error of the Step Functions API: https://docs.aws.amazon.com/step-functions/latest/apireference/CommonErrors.html */
export class ApiError extends Error {
  constructor(
    override readonly name: string,
    message: string,
    readonly status = 400,
  ) {
    super(message);
  }
}

export function typeNotSupported(): ApiError {
  return new ApiError(
    'StateMachineTypeNotSupported',
    'This operation is not supported by this type of state machine',
  );
}
