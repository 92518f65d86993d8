/** The application's own clients of the AWS SDK, as far as this library knows them. */

/**
 * A client of the AWS SDK for JavaScript, version 3: an `SFNClient` or an `S3Client`. Types of the SDK do not appear here, because an
 * application may have none.
 */
export interface AwsClient {
  /** Sends a command, as the clients of the SDK do. */
  send(command: never, options?: { readonly abortSignal?: AbortSignal }): Promise<unknown>;
}
