/** Reads the rules of a template that start state machines when objects arrive. */
import { unsupported } from '../local-cloud-error';
import { isJsonArray, isJsonObject, type Json, type JsonObject, type JsonPath } from '../json';
import { type Resource, unknownValue, whereOf } from '../cloudformation/resource';
import { attributeOf } from '../cloudformation/physical-ids';
import type { Template } from '../cloudformation/template';
import { type InputTransformer, parsePath, parseTransformer } from './input-transformer';
import { parsePattern, type Pattern } from './pattern';

export interface Rule {
  readonly logicalId: string;
  readonly arn: string;
  readonly pattern: Pattern;
  readonly targets: readonly RuleTarget[];
}

export interface RuleTarget {
  readonly stateMachineArn: string;
  /** The rule starts executions as this role. */
  readonly roleArn: string;
  readonly input: TargetInput;
}

/** A part of the event, or a text with values of it. */
type TargetInput = { readonly path: JsonPath } | InputTransformer;

export interface Rules {
  readonly rules: readonly Rule[];
  /** Buckets whose events reach EventBridge. */
  readonly buckets: ReadonlySet<string>;
  /** What the template has and the local cloud does not do. */
  readonly notices: readonly string[];
}

/**
 * @param machines the ARNs of the state machines that run, by logical id
 * @throws LocalCloudError when a rule starts one of them in a way that the local cloud does not know
 */
export function readRules(template: Template, machines: ReadonlyMap<string, string>): Rules {
  const notices: string[] = [];
  const rules = template.resourcesOfType('AWS::Events::Rule').flatMap((resource) => {
    const started = targetsOf(resource).filter((target) => refersTo(target.Arn, machines) !== undefined);
    if (started.length === 0) return [];
    // Such as a schedule. Its target is one of the machines, so tell why it does nothing.
    if (!JSON.stringify(resource.properties.EventPattern ?? '').includes('aws.s3')) {
      notices.push(
        `the rule '${resource.logicalId}' starts nothing here: the local cloud only has events of S3`,
      );
      return [];
    }
    if (template.property(resource, 'State') === 'DISABLED') return [];
    return [readRule(template, resource, started, machines)];
  });
  const notified = rules.length === 0 ? [] : notifiedBuckets(template);
  if (rules.length > 0 && notified.length === 0) {
    notices.push(
      `the rule '${rules[0].logicalId}' gets no events: no bucket of the stack sends its events to EventBridge, ` +
        'so call its enableEventBridgeNotification()',
    );
  }
  return { rules, buckets: new Set(notified), notices };
}

/** A start succeeds or fails at once, so a target's retries and its dead-letter queue have no effect: `LocalCloud.notices()` has what fails. */
function readRule(
  template: Template,
  resource: Resource,
  targets: readonly JsonObject[],
  machines: ReadonlyMap<string, string>,
): Rule {
  const bus = template.property(resource, 'EventBusName') ?? 'default';
  // S3 sends its events to the default bus only.
  if (bus !== 'default') throw unknownValue(resource, 'EventBusName', bus);
  return {
    logicalId: resource.logicalId,
    arn: attributeOf(template, resource, 'Arn'),
    pattern: parsePattern(template.property(resource, 'EventPattern') ?? null, whereOf(resource)),
    targets: targets.map((target) => readTarget(template, resource, target, machines)),
  };
}

function readTarget(
  template: Template,
  resource: Resource,
  target: JsonObject,
  machines: ReadonlyMap<string, string>,
): RuleTarget {
  const where = `a target of ${whereOf(resource)}`;
  const {
    RoleArn: role = null,
    Input: constant,
    InputPath: path = '$',
    InputTransformer: transformer,
  } = target;
  const roleArn = template.resolve(role);
  if (typeof roleArn !== 'string') {
    throw unsupported(`${where} without a role`, 'give it a role that may start the state machine');
  }
  return {
    stateMachineArn: refersTo(target.Arn, machines) ?? '',
    roleArn,
    input: readInput(template.resolve(constant ?? transformer ?? null), path, where),
  };
}

/** @param given the text of a constant input, or a transformer */
function readInput(given: Json, path: Json, where: string): TargetInput {
  if (typeof given === 'string') return { paths: new Map(), template: given };
  return isJsonObject(given) ? parseTransformer(given, where) : { path: parsePath(path, where) };
}

function targetsOf({ properties: { Targets: targets = [] } }: Resource): JsonObject[] {
  return isJsonArray(targets) ? targets.filter(isJsonObject) : [];
}

/** The ARN of the state machine to which a value refers. The value is not resolved, because others may refer to anything. */
function refersTo(value: Json | undefined, machines: ReadonlyMap<string, string>): string | undefined {
  if (!isJsonObject(value)) return undefined;
  const { Ref: reference, 'Fn::GetAtt': attribute } = value;
  const logicalId = typeof reference === 'string' ? reference : isJsonArray(attribute) ? attribute[0] : '';
  return typeof logicalId === 'string' ? machines.get(logicalId) : undefined;
}

/** Buckets that send their events to EventBridge, by their own property or by the custom resource of CDK. */
function notifiedBuckets(template: Template): string[] {
  const own = template
    .resourcesOfType('AWS::S3::Bucket')
    .filter(({ properties }) => sendsEvents(properties.NotificationConfiguration))
    .flatMap((bucket) => {
      // Resolving the reference makes the bucket count as referred.
      const name = template.resolve({ Ref: bucket.logicalId });
      return typeof name === 'string' ? [name] : [];
    });
  const custom = template
    .resourcesOfType('Custom::S3BucketNotifications')
    .filter(({ properties }) => sendsEvents(properties.NotificationConfiguration))
    .map((notifications) => template.text(notifications, 'BucketName'));
  return [...own, ...custom];
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-s3-bucket-eventbridgeconfiguration.html */
function sendsEvents(configuration: Json | undefined): boolean {
  if (!isJsonObject(configuration) || !isJsonObject(configuration.EventBridgeConfiguration)) return false;
  const { EventBridgeEnabled: enabled = true } = configuration.EventBridgeConfiguration;
  return enabled !== false && enabled !== 'false';
}
