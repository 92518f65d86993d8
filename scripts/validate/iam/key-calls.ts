/** The calls of a role to the keys of buckets. */
import { Stack } from 'aws-cdk-lib';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type { IConstruct } from 'constructs';
import type { SlicedInferencePipeline } from '../../../lib';
import { MODEL_KEYS } from '../stacks';
import type { Call, MakeCall, Values } from './call';

/** S3 may use the keys for the role, and the role itself may not. */
export function keyCalls(
  values: Values,
  pipeline: SlicedInferencePipeline,
  constructs: readonly IConstruct[],
  call: MakeCall,
): Call[] {
  const service = `s3.${values.text(pipeline, Stack.of(pipeline).region)}.amazonaws.com`;
  const viaS3 = { 'kms:ViaService': service };
  const { encryptionKey } = pipeline.bucket;
  const own = encryptionKey ? [values.text(pipeline, encryptionKey.keyArn)] : [];
  const models = constructs
    .filter(({ node }) => MODEL_KEYS.includes(node.id))
    .map((key) => values.text(pipeline, (key as kms.IKey).keyArn));
  return [
    ...call(true, 'kms:Decrypt', [...own, ...models], viaS3),
    ...call(true, 'kms:GenerateDataKey', own, viaS3),
    ...call(false, 'kms:GenerateDataKey', models, viaS3),
    ...call(false, 'kms:Decrypt', [...own, ...models], {}),
    ...call(false, 'kms:ScheduleKeyDeletion', [...own, ...models], viaS3),
  ];
}
