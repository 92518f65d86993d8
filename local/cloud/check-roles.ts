/** Checks what AWS checks when it creates functions, state machines, keys and log groups. What AWS would only miss becomes a notice. */
import { attributeOf, referenceTo } from '../cloudformation/physical-ids';
import { administrator, type PipelinePolicies } from '../cloudformation/policies';
import type { Resource } from '../cloudformation/resource';
import type { StateMachineResource } from '../cloudformation/resources';
import type { Template } from '../cloudformation/template';
import {
  type Action,
  FUNCTION_TRACING_ACTIONS,
  LOG_DELIVERY_ACTIONS,
  LOG_KEY_ACTIONS,
  NETWORK_ACTIONS,
  TRACING_ACTIONS,
} from '../iam/actions';
import type { Authorizer } from '../iam/authorizer';
import { type Principal, roleSession, service } from '../iam/principals';
import { isJsonArray, isJsonObject, type JsonObject } from '../json';
import { LocalCloudError } from '../local-cloud-error';

interface Checked {
  readonly template: Template;
  readonly stateMachines: readonly StateMachineResource[];
  readonly policies: PipelinePolicies;
  readonly authorizer: Authorizer;
}

export function checkRoles(checked: Checked): string[] {
  const { template, policies, stateMachines } = checked;
  for (const fn of template.referredResources('AWS::Lambda::Function')) checkFunction(checked, fn);
  for (const stateMachine of stateMachines) checkStateMachine(checked, stateMachine);
  for (const key of template.referredResources('AWS::KMS::Key')) checkKey(checked, key);
  for (const group of template.referredResources('AWS::Logs::LogGroup')) checkLogGroup(checked, group);
  const imported = [...policies.roles.values()].flatMap(({ arn, unknown }) =>
    unknown.map(
      (what) =>
        `${what} is not in the template: the local cloud lets the role ${arn} do whatever no policy in the template denies`,
    ),
  );
  const traces = stateMachines.flatMap((stateMachine) => missingTraces(checked, stateMachine));
  return [...imported, ...traces, ...missingExpirations(checked)];
}

/** The words of the refusal of traces are Lambda's: https://github.com/coinbase/fenrir/pull/1 */
function checkFunction(checked: Checked, fn: Resource): void {
  const { template, authorizer } = checked;
  const create = `create the function '${fn.logicalId}'`;
  const roleArn = template.text(fn, 'Role');
  if (!mayAssume(checked, roleArn, attributeOf(template, fn, 'Arn'), ['lambda.amazonaws.com'])) {
    throw refused(
      create,
      'The role defined for the function cannot be assumed by Lambda.',
      "let the role's trust policy allow lambda.amazonaws.com to assume it",
    );
  }
  // Lambda itself makes these calls, so they do not have the condition key lambda:SourceFunctionArn.
  const session = roleSession(roleArn, 'awslambda');
  const check = (actions: readonly Action[], prefix: string, what: string, where: string): void => {
    const missing = firstRefused(authorizer, session, actions);
    if (missing === undefined) return;
    throw refused(
      `${create} ${what}`,
      `The provided execution role does not have permissions to call ${missing.replace(prefix, '')} on ${where}`,
      `allow its role ${missing} on all resources`,
    );
  };
  if (objectOf(template, fn, 'TracingConfig').Mode === 'Active') {
    check(FUNCTION_TRACING_ACTIONS, 'xray:', 'with traces', 'XRAY');
  }
  if (fn.properties.VpcConfig !== undefined) check(NETWORK_ACTIONS, 'ec2:', 'in a VPC', 'EC2');
}

function checkStateMachine(checked: Checked, { logicalId, arn, roleArn }: StateMachineResource): void {
  if (roleArn === undefined) return;
  const { template, authorizer } = checked;
  const what = `create the state machine '${logicalId}'`;
  const names = ['states.amazonaws.com', `states.${authorizer.region}.amazonaws.com`];
  if (!mayAssume(checked, roleArn, arn, names)) {
    throw refused(
      what,
      `Neither the global service principal ${names[0]}, nor the regional one is authorized to assume the provided role.`,
      `let the role's trust policy allow ${names[0]} to assume it for ${arn}`,
    );
  }
  if (!logs(template.resource(logicalId))) return;
  const missing = firstRefused(authorizer, roleSession(roleArn, 'states'), LOG_DELIVERY_ACTIONS);
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
  if (firstRefused(authorizer, owner, ['kms:PutKeyPolicy'], { resource }) === undefined) return;
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
  const caller = service(`logs.${authorizer.region}.amazonaws.com`);
  // The attribute ends with `:*`, which the condition key does not.
  const arn = attributeOf(template, group, 'Arn').replace(/:\*$/, '');
  const context = { 'kms:encryptioncontext:aws:logs:arn': arn };
  const missing = firstRefused(authorizer, caller, LOG_KEY_ACTIONS, { resource: key, context });
  if (missing === undefined) return;
  throw refused(
    `create the log group '${group.logicalId}'`,
    `The specified KMS key does not exist or is not allowed to be used with Arn '${arn}'`,
    `let the key's policy allow ${caller.name} ${missing}`,
  );
}

function missingTraces(
  { template, authorizer }: Checked,
  { logicalId, roleArn }: StateMachineResource,
): string[] {
  const tracing = objectOf(template, template.resource(logicalId), 'TracingConfiguration');
  if (roleArn === undefined || tracing.Enabled !== true) return [];
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

/** Whether one of the services may assume the role for a resource. The trust policy of an imported role is not known. */
function mayAssume(
  { policies, authorizer }: Checked,
  roleArn: string,
  sourceArn: string,
  services: readonly string[],
): boolean {
  if (policies.roles.get(roleArn)?.trust === undefined) return true;
  // That Lambda sends these two condition keys when it assumes a role is believed, not documented.
  const context = { 'aws:sourceaccount': authorizer.account, 'aws:sourcearn': sourceArn };
  const assume = ['sts:AssumeRole'] as const;
  return services.some(
    (name) => firstRefused(authorizer, service(name), assume, { resource: roleArn, context }) === undefined,
  );
}

function firstRefused(
  authorizer: Authorizer,
  principal: Principal,
  actions: readonly Action[],
  on: { readonly resource: string; readonly context?: Readonly<Record<string, string>> } = { resource: '*' },
): Action | undefined {
  return actions.find((action) => authorizer.refusal(principal, { action, ...on }) !== undefined);
}

function logs({ properties: { LoggingConfiguration: logging } }: Resource): boolean {
  if (!isJsonObject(logging) || logging.Level === 'OFF') return false;
  const { Destinations: destinations = [] } = logging;
  return isJsonArray(destinations) && destinations.length > 0;
}

function objectOf(template: Template, resource: Resource, property: string): JsonObject {
  const value = template.property(resource, property);
  return isJsonObject(value) ? value : {};
}

function refused(what: string, got: string, advice: string): LocalCloudError {
  return new LocalCloudError(`AWS would not ${what}, got '${got}': ${advice}`);
}
