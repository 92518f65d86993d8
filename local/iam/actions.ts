/** The actions that the local cloud authorizes. It ignores statements about other actions. */

/** Lambda calls these for a function in a VPC: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions */
export const NETWORK_ACTIONS = [
  'ec2:AssignPrivateIpAddresses',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:UnassignPrivateIpAddresses',
] as const;

/** Step Functions needs these of a role that logs: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy */
export const LOG_DELIVERY_ACTIONS = [
  'logs:CreateLogDelivery',
  'logs:GetLogDelivery',
  'logs:UpdateLogDelivery',
  'logs:DeleteLogDelivery',
  'logs:ListLogDeliveries',
  'logs:PutResourcePolicy',
  'logs:DescribeResourcePolicies',
  'logs:DescribeLogGroups',
] as const;

/** Step Functions needs these of a role that traces: https://docs.aws.amazon.com/step-functions/latest/dg/xray-iam.html */
export const TRACING_ACTIONS = [
  'xray:PutTraceSegments',
  'xray:PutTelemetryRecords',
  'xray:GetSamplingRules',
  'xray:GetSamplingTargets',
] as const;

/** Lambda needs these of the role of a function that it traces: https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html */
export const FUNCTION_TRACING_ACTIONS = ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'] as const;

/** CloudWatch Logs needs these of a group's key: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html */
export const LOG_KEY_ACTIONS = [
  'kms:Encrypt',
  'kms:Decrypt',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
  'kms:GenerateDataKey',
  'kms:DescribeKey',
] as const;

export const FUNCTION_LOG_ACTIONS = [
  'logs:CreateLogGroup',
  'logs:CreateLogStream',
  'logs:PutLogEvents',
] as const;

export const S3_ACTIONS = [
  's3:AbortMultipartUpload',
  's3:DeleteObject',
  's3:GetBucketLocation',
  's3:GetObject',
  's3:GetObjectTagging',
  's3:ListAllMyBuckets',
  's3:ListBucket',
  's3:ListMultipartUploadParts',
  's3:PutObject',
] as const;

export const ACTIONS = [
  ...NETWORK_ACTIONS,
  ...LOG_DELIVERY_ACTIONS,
  ...TRACING_ACTIONS,
  ...LOG_KEY_ACTIONS,
  ...FUNCTION_LOG_ACTIONS,
  ...S3_ACTIONS,
  's3express:CreateSession',
  'execute-api:Invoke',
  'kms:PutKeyPolicy',
  'lambda:InvokeFunction',
  'lambda:InvokeFunctionUrl',
  'states:DescribeExecution',
  'states:RedriveExecution',
  'states:StartExecution',
  'states:StartSyncExecution',
  'states:StopExecution',
  'sts:AssumeRole',
] as const;

export type Action = (typeof ACTIONS)[number];
