/** The log groups of the functions and of the state machine. */
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Slicing } from '../../../lib';
import { pipelineStack } from '../../support/pipeline-stack';

const GROUPS = ['Pipeline/SliceLogs', 'Pipeline/Logs'];

test('logRetention sets the retention of all log groups', () => {
  const { resources } = pipelineStack({
    slicing: Slicing.count(2),
    logRetention: logs.RetentionDays.ONE_WEEK,
  });
  expect(
    Object.entries(resources('AWS::Logs::LogGroup')).map(([path, { RetentionInDays }]) => [
      path,
      RetentionInDays,
    ]),
  ).toEqual(GROUPS.map((path) => [path, 7]));
});

test('logEncryptionKey encrypts all log groups, and CloudWatch Logs may use it only for log groups of the account', () => {
  const { resources, resource } = pipelineStack((stack) => ({
    slicing: Slicing.count(2),
    logEncryptionKey: new kms.Key(stack, 'Key'),
  }));
  for (const path of GROUPS) expect(resources('AWS::Logs::LogGroup')[path].KmsKeyId).toBe('{Key.Arn}');
  const { KeyPolicy } = resource('Key') as { KeyPolicy: { Statement: object[] } };
  expect(KeyPolicy.Statement).toContainEqual({
    Sid: 'EncryptLogs',
    Effect: 'Allow',
    Principal: { Service: 'logs.{AWS::Region}.{AWS::URLSuffix}' },
    Action: ['kms:Decrypt*', 'kms:Describe*', 'kms:Encrypt*', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'],
    Resource: '*',
    Condition: {
      ArnLike: {
        'kms:EncryptionContext:aws:logs:arn':
          'arn:{AWS::Partition}:logs:{AWS::Region}:{AWS::AccountId}:log-group:*',
      },
    },
  });
});

test('logLevel and tracing configure the state machine, which never logs the data of executions', () => {
  const { resource } = pipelineStack({ logLevel: sfn.LogLevel.ALL, tracing: false });
  const machine = resource('Pipeline/StateMachine');
  expect(machine.LoggingConfiguration).toMatchObject({ Level: 'ALL', IncludeExecutionData: false });
  expect(machine.TracingConfiguration).toEqual({ Enabled: false });
});
