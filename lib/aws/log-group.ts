/** The log groups of a pipeline. The stack owns them, instead of the services that would create them on first use. */
import { type RemovalPolicy, ArnFormat, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { targetKey } from './key';

export interface LogSettings {
  readonly retention: logs.RetentionDays;
  readonly encryptionKey?: kms.IKey;
  readonly removalPolicy: RemovalPolicy;
}

export function createLogGroup(
  scope: Construct,
  id: string,
  settings: LogSettings,
  logGroupName?: string,
): logs.LogGroup {
  const { encryptionKey } = settings;
  return new logs.LogGroup(scope, id, {
    ...settings,
    // CloudWatch Logs does not accept aliases.
    ...(encryptionKey && { encryptionKey: targetKey(encryptionKey, 'logEncryptionKey') }),
    ...(logGroupName !== undefined && { logGroupName }),
  });
}

/**
 * Allows CloudWatch Logs to use the key only for log groups of the stack's account and region. CDK cannot change the
 * policy of an imported key; its owner must add this statement:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
 */
export function allowLogEncryption(scope: Construct, key: kms.IKey): void {
  const stack = Stack.of(scope);
  targetKey(key, 'logEncryptionKey').addToResourcePolicy(
    new iam.PolicyStatement({
      sid: 'EncryptLogs',
      principals: [new iam.ServicePrincipal(`logs.${stack.region}.${stack.urlSuffix}`)],
      actions: ['kms:Decrypt*', 'kms:Describe*', 'kms:Encrypt*', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'],
      resources: ['*'],
      conditions: {
        ArnLike: {
          'kms:EncryptionContext:aws:logs:arn': stack.formatArn({
            service: 'logs',
            resource: 'log-group',
            resourceName: '*',
            arnFormat: ArnFormat.COLON_RESOURCE_NAME,
          }),
        },
      },
    }),
    true,
  );
}
