/** KMS keys in permissions. A policy must name the ARN of the key, because the ARN of an alias matches no key. */
import * as kms from 'aws-cdk-lib/aws-kms';
import * as iam from 'aws-cdk-lib/aws-iam';
import { SlicedInferenceError } from '../errors';

/**
 * Returns the target key of an alias; returns any other key as it is.
 *
 * @param what the subject of the error message
 * @throws SlicedInferenceError for an alias imported by name, because CDK does not know its target key
 */
export function targetKey(key: kms.IKey, what: string): kms.IKey {
  if (!('aliasName' in key)) return key;
  if (key instanceof kms.Alias) return key.aliasTargetKey;
  throw new SlicedInferenceError(
    `${what} must be a key that is known at synth time`,
    'an alias imported by name',
    'import the key with kms.Key.fromKeyArn()',
  );
}

/** Allows S3 to use the key on behalf of the role. The role itself cannot use it. */
export function keyUseStatement(key: kms.IKey, actions: string[], sid = 'UseKey'): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid,
    actions,
    resources: [targetKey(key, 'the key of a bucket').keyArn],
    // https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
    conditions: { StringLike: { 'kms:ViaService': 's3.*' } },
  });
}
