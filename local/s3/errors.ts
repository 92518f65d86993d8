/** S3's error responses: a code, a status and a message as XML. */

/** A message of `undefined` depends on the request: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const ERRORS = {
  AccessDenied: [403, 'Access Denied'],
  AuthorizationHeaderMalformed: [400, undefined],
  BadDigest: [400, 'The Content-MD5 you specified did not match what we received.'],
  ConditionalRequestConflict: [409, 'A conflicting operation has changed the object. Please try again.'],
  EntityTooLarge: [400, 'Your proposed upload exceeds the maximum allowed size'],
  EntityTooSmall: [400, 'Your proposed upload is smaller than the minimum allowed size'],
  ExpiredToken: [400, 'The provided token has expired.'],
  IncompleteBody: [400, 'The request body terminated unexpectedly'],
  InternalError: [500, 'We encountered an internal error. Please try again.'],
  InvalidAccessKeyId: [403, 'The AWS Access Key Id you provided does not exist in our records.'],
  InvalidArgument: [400, 'Invalid Argument'],
  InvalidDigest: [400, 'The Content-MD5 you specified was invalid.'],
  InvalidPart: [400, 'A part was not uploaded, or has another entity tag.'],
  InvalidPartOrder: [400, 'Parts must be in ascending order of their numbers.'],
  InvalidRange: [416, 'The requested range is not satisfiable'],
  InvalidRequest: [400, undefined],
  InvalidToken: [400, 'The provided token is malformed or otherwise invalid.'],
  InvalidURI: [400, "Couldn't parse the specified URI."],
  KeyTooLongError: [400, 'Your key is too long'],
  MalformedTrailerError: [400, 'The trailer of the request is missing or malformed.'],
  MalformedXML: [400, 'The XML is malformed, or not what the operation expects.'],
  MissingContentLength: [411, 'You must provide the Content-Length HTTP header.'],
  NoSuchBucket: [404, 'The specified bucket does not exist'],
  NoSuchKey: [404, 'The specified key does not exist.'],
  NoSuchUpload: [404, 'The upload does not exist, or has been aborted or completed.'],
  NotImplemented: [501, 'A header you provided implies functionality that is not implemented'],
  PreconditionFailed: [412, 'At least one of the pre-conditions you specified did not hold'],
  RequestTimeTooSkewed: [403, undefined],
  SignatureDoesNotMatch: [403, undefined],
  SlowDown: [503, 'Please reduce your request rate.'],
  XAmzContentSHA256Mismatch: [400, 'The body does not have the SHA-256 in x-amz-content-sha256.'],
} as const satisfies Readonly<Record<string, readonly [number, string | undefined]>>;

export type S3ErrorCode = keyof typeof ERRORS;

export class S3Error extends Error {
  override readonly name: string;
  readonly status: number;

  constructor(
    readonly code: S3ErrorCode,
    message: string = ERRORS[code][1] ?? code,
    readonly fields: Readonly<Record<string, string | number>> = {},
  ) {
    super(message);
    this.name = code;
    this.status = ERRORS[code][0];
  }
}

export function invalidRequest(message: string): S3Error {
  return new S3Error('InvalidRequest', message);
}

export function notImplemented(what: string): S3Error {
  return new S3Error('NotImplemented', `the local cloud's S3 does not support ${what}`);
}

export function noSuchKey(key: string): S3Error {
  return new S3Error('NoSuchKey', undefined, { Key: key });
}

export function preconditionFailed(condition: string): S3Error {
  return new S3Error('PreconditionFailed', undefined, { Condition: condition });
}

export function invalidArgument(name: string, message: string, value?: string): S3Error {
  return new S3Error('InvalidArgument', message, {
    ArgumentName: name,
    ...(value !== undefined && { ArgumentValue: value }),
  });
}
