/** Errors in the form of the embeddings interface, which its client libraries turn into errors of their own. */
export class ApiError extends Error {
  public override readonly name = 'InvalidRequest';

  /** What a caller of the function's URL gets. Other callers get the message. */
  public readonly body: object;

  /** @param statusCode of the HTTP answer */
  public constructor(
    public readonly statusCode: number,
    message: string,
    { param = null, code = null }: { readonly param?: string | null; readonly code?: string | null } = {},
  ) {
    super(message);
    this.body = { error: { message, type: 'invalid_request_error', param, code } };
  }
}
