/** The log groups of a pipeline, which belong to it and not to the services that write into them. */
import type { RemovalPolicy } from 'aws-cdk-lib';
import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { keyItself } from './key';

/** What the log groups have alike. */
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
    // CloudWatch Logs does not take aliases.
    ...(encryptionKey && { encryptionKey: keyItself(encryptionKey, 'logEncryptionKey') }),
    ...(logGroupName !== undefined && { logGroupName }),
  });
}

/**
 * Lets CloudWatch Logs use a key for log groups of the stack's account and region, and for nothing else. A key that is
 * imported needs such a statement from whoever has made it:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
 */
export function allowLogs(scope: Construct, key: kms.IKey): void {
  const stack = Stack.of(scope);
  keyItself(key, 'logEncryptionKey').addToResourcePolicy(
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
