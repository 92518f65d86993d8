/** AWS quotas that no prop of a pipeline can reach on its own, each with its source. `lib/aws/quotas.ts` has the others. */

/** Number of a role's managed policies, and characters of its trust policy: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html. */
export const MAX_MANAGED_POLICIES = 10;
export const MAX_TRUST_POLICY_CHARACTERS = 2_048;

/** Size of a bucket's policy, in bytes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html. */
export const MAX_BUCKET_POLICY_BYTES = 20 * 1024;

/** Size of a key's policy, in bytes: https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html. */
export const MAX_KEY_POLICY_BYTES = 32 * 1024;

/** Metrics of a dashboard: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html. */
export const MAX_DASHBOARD_METRICS = 2_500;
export const MAX_WIDGET_METRICS = 500;

/** Outputs and parameters of a template, and characters of a logical id and of a stack's name: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html. */
export const MAX_OUTPUTS = 200;
export const MAX_PARAMETERS = 200;
export const MAX_LOGICAL_ID_CHARACTERS = 255;
export const MAX_STACK_NAME_CHARACTERS = 128;

/** Characters of a state's name: https://docs.aws.amazon.com/step-functions/latest/dg/state-machine-structure.html. */
export const MAX_STATE_NAME_CHARACTERS = 80;

/** Characters of a variable's name: https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html. */
export const MAX_VARIABLE_NAME_CHARACTERS = 80;

/** The longest texts that the services accept, in characters, by type of resource and property. */
export const MAX_TEXT_CHARACTERS: Readonly<Partial<Record<string, Readonly<Record<string, number>>>>> = {
  // https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
  'AWS::Lambda::Function': { FunctionName: 64, Description: 256, Handler: 128 },
  // https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
  'AWS::Lambda::Version': { Description: 256 },
  // https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html
  'AWS::Lambda::Alias': { Name: 128, Description: 256 },
  // https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
  'AWS::IAM::Role': { RoleName: 64, Description: 1000 },
  // https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
  'AWS::IAM::Policy': { PolicyName: 128 },
  // https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html
  'AWS::IAM::ManagedPolicy': { ManagedPolicyName: 128, Description: 1000 },
  // https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
  'AWS::Logs::LogGroup': { LogGroupName: 512 },
  // https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html
  'AWS::StepFunctions::StateMachine': { StateMachineName: 80 },
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
  'AWS::S3::Bucket': { BucketName: 63 },
  'AWS::S3Express::DirectoryBucket': { BucketName: 63 },
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
  'AWS::CloudWatch::Alarm': { AlarmName: 255, AlarmDescription: 1024 },
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
  'AWS::CloudWatch::Dashboard': { DashboardName: 255 },
  // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
  'AWS::EC2::SecurityGroup': { GroupName: 255, GroupDescription: 255 },
};
