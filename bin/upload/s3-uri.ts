/** Parses `s3://bucket/prefix` strictly: both become parts of ARNs in policies, where `*` and `?` are wildcards. */
import { SlicedInferenceError, quoted } from '../../lib/errors';
import { prefixFault } from '../../lib/plan/file/plan';

const SCHEME = 's3://';

/** The prefix ends without a slash, and is empty for the bucket itself. @throws SlicedInferenceError for another text */
export function parseS3Uri(text: string) {
  if (!text.startsWith(SCHEME)) throw badUri(text, `it must begin with ${SCHEME} and the name of a bucket`);
  const [bucket, ...segments] = text.slice(SCHEME.length).split('/');
  const prefix = segments.join('/').replace(/\/$/, '');
  const fault = bucketFault(bucket) ?? prefixFault(prefix);
  if (fault !== undefined) throw badUri(text, fault);
  return { bucket, prefix };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
function bucketFault(bucket: string): string | undefined {
  const isName = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket);
  if (isName && !bucket.includes('..') && !/^\d+\.\d+\.\d+\.\d+$/.test(bucket)) return undefined;
  return 'the name of a bucket has 3 to 63 lower-case letters, digits, dots and hyphens between letters or digits, no two dots in a row, and is no IP address';
}

function badUri(text: string, rule: string): SlicedInferenceError {
  return new SlicedInferenceError(
    'an S3 location must have the form s3://bucket or s3://bucket/prefix',
    quoted(text),
    rule,
  );
}
