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
import type { Authorizer, Needed } from '../iam/authorizer';
import { type Principal, roleSession, service } from '../iam/principals';
import { isJsonObject, listOf } from '../json';
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
function checkFunction({ template, authorizer }: Checked, fn: Resource): void {
  const what = `the function '${fn.logicalId}'`;
  const role = template.text(fn, 'Role');
  const untrusted = authorizer.assumptionRefusal(
    role,
    ['lambda.amazonaws.com'],
    attributeOf(template, fn, 'Arn'),
  );
  if (untrusted !== undefined) {
    throw refused(what, 'The role defined for the function cannot be assumed by Lambda.', untrusted);
  }
  // Lambda itself makes these calls, so they do not have the condition key lambda:SourceFunctionArn.
  const session = roleSession(role, 'awslambda');
  const tracing = template.property(fn, 'TracingConfig') ?? null;
  const isTraced = isJsonObject(tracing) && tracing.Mode === 'Active';
  for (const [actions, where] of [
    [isTraced ? FUNCTION_TRACING_ACTIONS : [], 'XRAY'],
    [fn.properties.VpcConfig === undefined ? [] : NETWORK_ACTIONS, 'EC2'],
  ] as const) {
    demand(authorizer, session, actions, what, (action) => {
      const name = action.split(':').at(-1) ?? '';
      return `The provided execution role does not have permissions to call ${name} on ${where}`;
    });
  }
}

function checkStateMachine(
  { template, authorizer }: Checked,
  { logicalId, arn, roleArn }: StateMachineResource,
): void {
  if (roleArn === undefined) return;
  const what = `the state machine '${logicalId}'`;
  const names = ['states.amazonaws.com', `states.${authorizer.region}.amazonaws.com`];
  const untrusted = authorizer.assumptionRefusal(roleArn, names, arn);
  if (untrusted !== undefined) {
    const got = `Neither the global service principal ${names[0]}, nor the regional one is authorized to assume the provided role.`;
    throw refused(what, got, untrusted);
  }
  const { LoggingConfiguration: logging = null } = template.resource(logicalId).properties;
  if (!isJsonObject(logging) || logging.Level === 'OFF' || listOf(logging.Destinations).length === 0) return;
  const got = 'The state machine IAM Role is not authorized to access the Log Destination';
  demand(authorizer, roleSession(roleArn, 'states'), LOG_DELIVERY_ACTIONS, what, () => got);
}

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html#KMS-CreateKey-request-BypassPolicyLockoutSafetyCheck */
function checkKey({ template, authorizer }: Checked, key: Resource): void {
  const on = { resource: attributeOf(template, key, 'Arn') };
  const got = 'The new key policy will not allow you to update the key policy in the future.';
  const owner = administrator(authorizer.account);
  demand(authorizer, owner, ['kms:PutKeyPolicy'], `the key '${key.logicalId}'`, () => got, on);
}

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html */
function checkLogGroup({ template, policies, authorizer }: Checked, group: Resource): void {
  const key = template.property(group, 'KmsKeyId');
  // The policy of an imported key is not known.
  if (typeof key !== 'string' || !policies.resources.has(key)) return;
  // The attribute ends with `:*`, which the condition key does not.
  const arn = attributeOf(template, group, 'Arn').replace(/:\*$/, '');
  const on = { resource: key, context: { 'kms:encryptioncontext:aws:logs:arn': arn } };
  const got = `The specified KMS key does not exist or is not allowed to be used with Arn '${arn}'`;
  const caller = service(`logs.${authorizer.region}.amazonaws.com`);
  demand(authorizer, caller, LOG_KEY_ACTIONS, `the log group '${group.logicalId}'`, () => got, on);
}

/**
 * @param what would not be created
 * @param got AWS's message if an action is refused
 * @throws LocalCloudError when the principal may not do all of this
 */
function demand(
  authorizer: Authorizer,
  principal: Principal,
  actions: readonly Action[],
  what: string,
  got: (action: Action) => string,
  on: Omit<Needed, 'action'> = { resource: '*' },
): void {
  for (const action of actions) {
    const refusal = authorizer.refusal(principal, { action, ...on });
    if (refusal !== undefined) throw refused(what, got(action), refusal);
  }
}

function refused(what: string, got: string, refusal: string): LocalCloudError {
  return new LocalCloudError(`AWS would not create ${what}, got '${got}': allow what is refused: ${refusal}`);
}

function missingTraces(
  { template, authorizer }: Checked,
  { logicalId, roleArn }: StateMachineResource,
): string[] {
  const tracing = template.property(template.resource(logicalId), 'TracingConfiguration') ?? null;
  if (roleArn === undefined || !isJsonObject(tracing) || tracing.Enabled !== true) return [];
  const needs = TRACING_ACTIONS.map((action) => ({ action, resource: '*' }));
  const refusal = authorizer.firstRefusal(roleSession(roleArn, 'states'), needs);
  return refusal === undefined ? [] : [`on AWS the traces of executions would be missing: ${refusal}`];
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
