/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-bucket-naming-rules.html */
const DIRECTORY_BUCKET = '--x-s3';

/** Whether the bucket is one of S3 Express One Zone, which needs sessions. */
export function isDirectoryBucket(bucket: string): boolean {
  return bucket.endsWith(DIRECTORY_BUCKET);
}
