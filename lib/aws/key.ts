/** Keys as permissions name them: by the ARN of the key itself, since those of aliases match nothing in a policy. */
import * as kms from 'aws-cdk-lib/aws-kms';
import * as iam from 'aws-cdk-lib/aws-iam';
import { SlicedInferenceError } from '../errors';

/**
 * The key behind an alias, or the key that was given.
 *
 * @throws SlicedInferenceError for an alias that was imported by its name, whose key nobody here knows
 */
export function keyItself(key: kms.IKey, what: string): kms.IKey {
  if (!('aliasName' in key)) return key;
  if (key instanceof kms.Alias) return key.aliasTargetKey;
  throw new SlicedInferenceError(
    `${what} must be a key that is known at synth time`,
    'an alias that is imported by its name',
    'import the key with kms.Key.fromKeyArn()',
  );
}

/** Use of a key by S3 on behalf of the role, and not by the role itself. */
export function useOfKey(key: kms.IKey, actions: string[], sid = 'UseKey'): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid,
    actions,
    resources: [keyItself(key, 'the key of a bucket').keyArn],
    // https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
    conditions: { StringLike: { 'kms:ViaService': 's3.*' } },
  });
}
