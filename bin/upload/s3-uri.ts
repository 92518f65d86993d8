/** Parses `s3://bucket/prefix` strictly: both become parts of ARNs in policies, where `*` and `?` are wildcards. */
import { SlicedInferenceError, quoted } from '../../lib/errors';
import { prefixFault } from '../../lib/plan/file/plan';

export interface S3Location {
  readonly bucket: string;
  /** Without a trailing slash; empty for the bucket itself. */
  readonly prefix: string;
}

const SCHEME = 's3://';

/** @throws SlicedInferenceError when the text is not such a URI, or its bucket or prefix is not allowed */
export function parseS3Uri(text: string): S3Location {
  if (!text.startsWith(SCHEME)) throw badUri(text, `it must begin with ${SCHEME} and the name of a bucket`);
  const [bucket, ...segments] = text.slice(SCHEME.length).split('/');
  const prefix = segments.join('/').replace(/\/$/, '');
  const fault = bucketFault(bucket) ?? prefixFault(prefix);
  if (fault !== undefined) throw badUri(text, fault);
  return { bucket, prefix };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
function bucketFault(bucket: string): string | undefined {
  if (bucket.length < 3 || bucket.length > 63) return 'the name of a bucket has 3 to 63 characters';
  if (!/^[a-z0-9.-]+$/.test(bucket)) {
    return 'the name of a bucket has lower-case letters, digits, dots and hyphens';
  }
  if (!/^[a-z0-9].*[a-z0-9]$/.test(bucket))
    return 'the name of a bucket begins and ends with a letter or digit';
  if (bucket.includes('..')) return 'the name of a bucket cannot have two dots in a row';
  if (/^\d+\.\d+\.\d+\.\d+$/.test(bucket)) return 'the name of a bucket cannot be an IP address';
  return undefined;
}

function badUri(text: string, rule: string): SlicedInferenceError {
  return new SlicedInferenceError(
    'an S3 location must have the form s3://bucket or s3://bucket/prefix',
    quoted(text),
    rule,
  );
}
