/** What the functions before and after the slices may choose, and where they find the rest. */
import { HANDLER_BUCKET } from '../../contract/environment';
import type { AwsClient, ResultsPlace } from '../options';

/** The environment variable with the name of the pipeline's bucket. */
export { HANDLER_BUCKET as BUCKET_VARIABLE } from '../../contract/environment';

/** Options of all handlers and helpers. */
export interface HandlerOptions {
  /**
   * Name of the pipeline's bucket: `pipeline.bucket.bucketName`.
   * @default - the environment variable `SLICED_INFERENCE_BUCKET`
   */
  readonly bucket?: string;
  /**
   * An `S3Client` of the function.
   * @default - one with the SDK's own settings, which all calls of the function share
   */
  readonly s3?: AwsClient;
  /**
   * How long one request to S3 may take, with its repeats by the SDK, in milliseconds. An upload has a second more for each MiB.
   * @default 30000
   */
  readonly requestTimeout?: number;
}

/** Options of `preprocessHandler` and `writeRequest`. */
export interface WriteRequestOptions extends HandlerOptions {
  /**
   * `auto`: tensors travel inside the request if they fit, otherwise in S3. `s3`: always in S3.
   * @default 'auto'
   */
  readonly inputs?: 'auto' | 's3';
  /**
   * `auto`: small results come inside the pipeline's output. `s3`: all come from S3. `inline`: they are not in S3, and the run fails if
   * they take more than 180 KiB as JSON.
   * @default 'auto'
   */
  readonly results?: ResultsPlace;
}

/** Options of `postprocessHandler` and `readOutputs`. */
export interface ReadOutputsOptions extends HandlerOptions {
  /**
   * Largest results object that the function reads into memory, in bytes.
   * @default 2147483648
   */
  readonly maxResultBytes?: number;
}

/** What a Lambda function learns about its call. */
export interface HandlerContext {
  /** Identifies the call in Lambda's log lines. */
  readonly awsRequestId: string;
  /** Milliseconds until Lambda ends the call. */
  getRemainingTimeInMillis(): number;
  /**
   * Inside an `InferenceFunction`: the most bytes of a request with its tensors, as JSON.
   * @default - what Step Functions takes
   */
  readonly maxBytes?: number;
  /** Inside an `InferenceFunction`: an object that the functions before and after the model share in a call. */
  readonly call?: Record<string, unknown>;
}

export function bucketName({ bucket = process.env[HANDLER_BUCKET] }: HandlerOptions): string | undefined {
  return bucket === '' ? undefined : bucket;
}
