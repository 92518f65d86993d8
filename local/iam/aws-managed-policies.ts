/**
 * AWS managed policies that CDK attaches to the roles of functions, and a few that users do. Their documents are in
 * https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html.
 */
import { NETWORK_ACTIONS, TRACING_ACTIONS } from './actions';
import { parsePolicy, type Policy } from './policy';

const LOGS = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'];

const ACTIONS_BY_NAME: Readonly<Record<string, readonly string[]>> = {
  'service-role/AWSLambdaBasicExecutionRole': LOGS,
  'service-role/AWSLambdaVPCAccessExecutionRole': [...LOGS, ...NETWORK_ACTIONS],
  AWSXRayDaemonWriteAccess: [...TRACING_ACTIONS, 'xray:GetSamplingStatisticSummaries'],
  AmazonS3FullAccess: ['s3:*', 's3-object-lambda:*'],
  AmazonS3ReadOnlyAccess: ['s3:Get*', 's3:List*', 's3:Describe*'],
  AdministratorAccess: ['*'],
};

export function awsManagedPolicy(arn: string): Policy | undefined {
  const name = /^arn:[^:]+:iam::aws:policy\/(.+)$/.exec(arn)?.[1];
  const actions =
    name !== undefined && Object.hasOwn(ACTIONS_BY_NAME, name) ? ACTIONS_BY_NAME[name] : undefined;
  return actions && allowOnAllResources(actions, arn);
}

export const ADMINISTRATOR = allowOnAllResources(['*'], 'the policy of the administrator');

function allowOnAllResources(actions: readonly string[], where: string): Policy {
  return parsePolicy({ Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] }, where);
}
