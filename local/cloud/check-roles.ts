/**
 * Checks what AWS checks when it creates functions, state machines and log groups: whether their roles and keys have the
 * permissions for it. A missing permission that AWS only shows by missing logs or traces becomes a notice.
 */
import { LocalCloudError } from '../local-cloud-error';
import { isJsonArray, isJsonObject, type Json } from '../json';
import { attributeOf, referenceTo } from '../cloudformation/physical-ids';
import { administrator, type PipelinePolicies } from '../cloudformation/policies';
import type { Resource } from '../cloudformation/resource';
import type { StateMachineResource } from '../cloudformation/resources';
import type { Template } from '../cloudformation/template';
import {
  FUNCTION_TRACING_ACTIONS,
  LOG_DELIVERY_ACTIONS,
  LOG_KEY_ACTIONS,
  NETWORK_ACTIONS,
  TRACING_ACTIONS,
} from '../iam/actions';
import type { Authorizer, Needed } from '../iam/authorizer';
import { type Principal, roleSession, service } from '../iam/principals';

interface Checked {
  readonly template: Template;
  readonly stateMachines: readonly StateMachineResource[];
  readonly policies: PipelinePolicies;
  /** Has the policies to check. */
  readonly authorizer: Authorizer;
}

/**
 * @returns notices of one line
 * @throws LocalCloudError when AWS would refuse the deployment
 */
export function checkRoles(checked: Checked): string[] {
  const { template, policies } = checked;
  for (const fn of template.referredResources('AWS::Lambda::Function')) checkFunction(checked, fn);
  for (const stateMachine of checked.stateMachines) checkStateMachine(checked, stateMachine);
  for (const key of template.referredResources('AWS::KMS::Key')) checkKey(checked, key);
  for (const group of template.referredResources('AWS::Logs::LogGroup')) checkLogGroup(checked, group);
  const imported = [...policies.roles.values()].flatMap(({ arn, unknown }) =>
    unknown.map(
      (what) =>
        `${what} is not in the template: the local cloud lets the role ${arn} do whatever no policy in the template denies`,
    ),
  );
  const traces = checked.stateMachines.flatMap((stateMachine) => missingTraces(checked, stateMachine));
  return [...imported, ...traces, ...missingExpirations(checked)];
}

function checkFunction({ template, policies, authorizer }: Checked, fn: Resource): void {
  const what = `the function '${fn.logicalId}'`;
  const roleArn = template.text(fn, 'Role');
  const arn = attributeOf(template, fn, 'Arn');
  // That Lambda sends these two condition keys when it assumes a role is believed, not documented.
  const trust = assumption(roleArn, { account: authorizer.account, sourceArn: arn });
  if (!isImported(policies, roleArn) && refuses(authorizer, service('lambda.amazonaws.com'), trust)) {
    throw refused(
      `create ${what}`,
      'The role defined for the function cannot be assumed by Lambda.',
      "let the role's trust policy allow lambda.amazonaws.com to assume it",
    );
  }
  // Lambda itself makes these calls, so they do not have the condition key lambda:SourceFunctionArn.
  const session = roleSession(roleArn, 'awslambda');
  checkTraces(template, fn, (action) => refuses(authorizer, session, { action, resource: '*' }));
  if (fn.properties.VpcConfig === undefined) return;
  const missing = NETWORK_ACTIONS.find((action) => refuses(authorizer, session, { action, resource: '*' }));
  if (missing === undefined) return;
  throw refused(
    `create ${what} in a VPC`,
    `The provided execution role does not have permissions to call ${missing.replace('ec2:', '')} on EC2`,
    `allow its role ${missing} on all resources`,
  );
}

/** The words of the refusal are Lambda's: https://github.com/coinbase/fenrir/pull/1 */
function checkTraces(
  template: Template,
  fn: Resource,
  isRefused: (action: (typeof FUNCTION_TRACING_ACTIONS)[number]) => boolean,
): void {
  const tracing = template.property(fn, 'TracingConfig');
  if (!isJsonObject(tracing) || tracing.Mode !== 'Active') return;
  const missing = FUNCTION_TRACING_ACTIONS.find(isRefused);
  if (missing === undefined) return;
  throw refused(
    `create the function '${fn.logicalId}' with traces`,
    `The provided execution role does not have permissions to call ${missing.replace('xray:', '')} on XRAY`,
    `allow its role ${missing} on all resources`,
  );
}

function checkStateMachine(
  { template, policies, authorizer }: Checked,
  { logicalId, arn, roleArn }: StateMachineResource,
): void {
  if (roleArn === undefined) return;
  const what = `create the state machine '${logicalId}'`;
  const trust = assumption(roleArn, { account: authorizer.account, sourceArn: arn });
  const names = ['states.amazonaws.com', `states.${authorizer.region}.amazonaws.com`];
  if (!isImported(policies, roleArn) && names.every((name) => refuses(authorizer, service(name), trust))) {
    throw refused(
      what,
      `Neither the global service principal ${names[0]}, nor the regional one is authorized to assume the provided role.`,
      `let the role's trust policy allow ${names[0]} to assume it for ${arn}`,
    );
  }
  if (!logs(template.resource(logicalId))) return;
  const session = roleSession(roleArn, 'states');
  const missing = LOG_DELIVERY_ACTIONS.find((action) =>
    refuses(authorizer, session, { action, resource: '*' }),
  );
  if (missing === undefined) return;
  throw refused(
    what,
    'The state machine IAM Role is not authorized to access the Log Destination',
    `allow its role ${missing} on all resources`,
  );
}

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html#KMS-CreateKey-request-BypassPolicyLockoutSafetyCheck */
function checkKey({ template, authorizer }: Checked, key: Resource): void {
  const owner = administrator(authorizer.account);
  const resource = attributeOf(template, key, 'Arn');
  if (!refuses(authorizer, owner, { action: 'kms:PutKeyPolicy', resource })) return;
  throw refused(
    `create the key '${key.logicalId}'`,
    'The new key policy will not allow you to update the key policy in the future.',
    "let the key's policy allow the account kms:PutKeyPolicy",
  );
}

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html */
function checkLogGroup({ template, policies, authorizer }: Checked, group: Resource): void {
  const key = template.property(group, 'KmsKeyId');
  // The policy of an imported key is not known.
  if (typeof key !== 'string' || !policies.resources.has(key)) return;
  const logs = service(`logs.${authorizer.region}.amazonaws.com`);
  // The attribute ends with `:*`, which the condition key does not.
  const arn = attributeOf(template, group, 'Arn').replace(/:\*$/, '');
  const context = { 'kms:encryptioncontext:aws:logs:arn': arn };
  const missing = LOG_KEY_ACTIONS.find((action) =>
    refuses(authorizer, logs, { action, resource: key, context }),
  );
  if (missing === undefined) return;
  throw refused(
    `create the log group '${group.logicalId}'`,
    `The specified KMS key does not exist or is not allowed to be used with Arn '${arn}'`,
    `let the key's policy allow ${logs.name} ${missing}`,
  );
}

/** Without these permissions the executions run and their traces are missing. */
function missingTraces(
  { template, authorizer }: Checked,
  { logicalId, roleArn }: StateMachineResource,
): string[] {
  const tracing = template.property(template.resource(logicalId), 'TracingConfiguration');
  if (roleArn === undefined || !isJsonObject(tracing) || tracing.Enabled !== true) return [];
  const session = roleSession(roleArn, 'states');
  const refusals = TRACING_ACTIONS.flatMap(
    (action) => authorizer.refusal(session, { action, resource: '*' }) ?? [],
  );
  return refusals
    .slice(0, 1)
    .map((refusal) => `on AWS the traces of executions would be missing: ${refusal}`);
}

/** In a directory bucket the lifecycle rules need a session: https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-buckets-objects-lifecycle.html */
function missingExpirations({ template, authorizer }: Checked): string[] {
  return template.referredResources('AWS::S3Express::DirectoryBucket').flatMap((bucket) => {
    if (bucket.properties.LifecycleConfiguration === undefined) return [];
    const refusal = authorizer.refusal(service('lifecycle.s3.amazonaws.com'), {
      action: 's3express:CreateSession',
      resource: attributeOf(template, bucket, 'Arn'),
      context: { 's3express:sessionmode': 'ReadWrite', 'aws:securetransport': 'true' },
    });
    const name = referenceTo(template, bucket);
    return refusal === undefined ? [] : [`on AWS the objects in ${name} would not expire: ${refusal}`];
  });
}

function assumption(
  roleArn: string,
  { account, sourceArn }: { readonly account: string; readonly sourceArn: string },
): Needed {
  const context = { 'aws:sourceaccount': account, 'aws:sourcearn': sourceArn };
  return { action: 'sts:AssumeRole', resource: roleArn, context };
}

function isImported({ roles }: PipelinePolicies, roleArn: string): boolean {
  return roles.get(roleArn)?.trust === undefined;
}

function refuses(authorizer: Authorizer, principal: Principal, needed: Needed): boolean {
  return authorizer.refusal(principal, needed) !== undefined;
}

function logs({ properties: { LoggingConfiguration: logging } }: Resource): boolean {
  if (!isJsonObject(logging) || logging.Level === 'OFF') return false;
  const destinations: Json = logging.Destinations ?? [];
  return isJsonArray(destinations) && destinations.length > 0;
}

function refused(what: string, got: string, advice: string): LocalCloudError {
  return new LocalCloudError(`AWS would not ${what}, got '${got}': ${advice}`);
}
