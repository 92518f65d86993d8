/** Sizes against the quotas of AWS, of values as the services get them. The construct itself checks what its props can reach. */
import { createHash } from 'node:crypto';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import {
  MAX_DEFINITION_BYTES,
  MAX_LAMBDA_ENVIRONMENT_BYTES,
  MAX_INLINE_POLICY_CHARACTERS,
  MAX_MANAGED_POLICY_CHARACTERS,
} from '../../lib/aws/quotas';
import { isJsonArray, isJsonObject, type Json, type JsonObject } from '../../local/json';
import {
  definitionsOf,
  ResolvedTemplates,
  resourcesOf,
  type SynthesizedTemplate,
  type TemplateResource,
  type Templates,
} from './resolve';
import type { Check, Finding, SynthesizedCase } from './synthesize';

/** Characters of the name of a state and of a variable: https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html */
const MAX_NAME_CHARACTERS = 80;

/** Metrics of a widget of a dashboard: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html */
const MAX_WIDGET_METRICS = 500;

/** The local cloud's ARNs are those of the partition `aws`. In other partitions they are longer. */
class InPartition extends ResolvedTemplates {
  override resolve(template: SynthesizedTemplate, value: Json): Json {
    const json = JSON.stringify(super.resolve(template, value));
    const { partition = 'aws' } = RegionInfo.get(template.environment.region);
    return JSON.parse(json.replaceAll('arn:aws:', `arn:${partition}:`)) as Json;
  }
}

function excesses({ templates }: SynthesizedCase): Finding[] {
  const resolved = new InPartition(templates);
  const environments = templates.flatMap((template) =>
    resourcesOf(template, 'AWS::Lambda::Function').flatMap(({ logicalId, properties }) => {
      const environment = resolved.resolve(template, properties.Environment ?? {}) as JsonObject;
      const bytes = Buffer.byteLength(JSON.stringify(environment.Variables ?? {}));
      const place = `${template.path}/${logicalId}`;
      return atMost(place, 'bytes of the environment', bytes, MAX_LAMBDA_ENVIRONMENT_BYTES);
    }),
  );
  const dashboards = templates.flatMap((template) =>
    resourcesOf(template, 'AWS::CloudWatch::Dashboard').flatMap(({ logicalId, properties }) => {
      const { widgets = [] } = JSON.parse(resolved.text(template, properties.DashboardBody ?? null)) as {
        readonly widgets?: readonly { readonly properties?: { readonly metrics?: readonly Json[] } }[];
      };
      const most = Math.max(0, ...widgets.map((widget) => widget.properties?.metrics?.length ?? 0));
      return atMost(`${template.path}/${logicalId}`, 'metrics of a widget', most, MAX_WIDGET_METRICS);
    }),
  );
  const definitions = definitionsOf({ templates, resolved }).flatMap(({ place, text, definition }) => [
    ...atMost(place, 'bytes of the definition', Buffer.byteLength(text), MAX_DEFINITION_BYTES),
    ...stateExcesses(place, definition),
  ]);
  return [...environments, ...dashboards, ...definitions, ...policyExcesses({ templates, resolved })];
}

export const limits: Check = { name: 'limits', find: excesses };

function stateExcesses(place: string, { States = {} }: JsonObject): Finding[] {
  return Object.entries(States as Readonly<Record<string, JsonObject>>).flatMap(([name, state]) => {
    const own = `${place}/${name}`;
    const assigned = [state, ...objectsOf(state.Catch)].flatMap(({ Assign }) => Object.keys(Assign ?? {}));
    return [
      ...atMost(own, "characters of a state's name", name.length, MAX_NAME_CHARACTERS),
      ...assigned.flatMap(({ length }) =>
        atMost(own, "characters of a variable's name", length, MAX_NAME_CHARACTERS),
      ),
      ...objectsOf(state.Branches).flatMap((branch) => stateExcesses(place, branch)),
    ];
  });
}

function objectsOf(value: Json | undefined): JsonObject[] {
  return value !== undefined && isJsonArray(value) ? value.filter(isJsonObject) : [];
}

/** Managed policies of a role: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const MAX_MANAGED_POLICIES = 10;

const MANAGED = 'AWS::IAM::ManagedPolicy';

function atMost(place: string, what: string, used: number, limit: number): Finding[] {
  return used <= limit ? [] : [{ place, message: `${what} must be at most ${limit}, got ${used}` }];
}

interface Policy {
  readonly template: SynthesizedTemplate;
  readonly logicalId: string;
  readonly isManaged: boolean;
  readonly characters: number;
  /** How many of the policy a role has during an update at most. */
  readonly generations: number;
  readonly roles: readonly string[];
}

function policyExcesses({ templates, resolved }: Templates): Finding[] {
  // IAM does not count whitespace, of which `JSON.stringify` writes none.
  const characters = (template: SynthesizedTemplate, document: Json | undefined): number =>
    JSON.stringify(resolved.resolve(template, document ?? null)).length;
  const policies = templates.flatMap((template) =>
    resourcesOf(template, 'AWS::IAM::Policy', MANAGED).map((policy): Policy => ({
      template,
      logicalId: policy.logicalId,
      isManaged: policy.type === MANAGED,
      characters: characters(template, policy.properties.PolicyDocument),
      generations: isNamedByContent(policy) ? 2 : 1,
      roles: listOf(policy.properties.Roles).map((role) => resolved.text(template, role)),
    })),
  );
  const excessesOf = (
    template: SynthesizedTemplate,
    { logicalId, properties }: TemplateResource,
  ): Finding[] => {
    const name = resolved.text(template, { Ref: logicalId });
    const own = listOf(properties.Policies).map((policy) =>
      characters(template, isJsonObject(policy) ? policy.PolicyDocument : undefined),
    );
    const attached = policies.filter(({ roles }) => roles.includes(name));
    const inline = attached.filter(({ isManaged }) => !isManaged);
    const managed = attached.filter(({ isManaged }) => isManaged);
    const inUpdate = sum([...own, ...inline.map((policy) => policy.generations * policy.characters)]);
    const count =
      listOf(properties.ManagedPolicyArns).length + sum(managed.map(({ generations }) => generations));
    const place = `${template.path}/${logicalId}`;
    return [
      ...atMost(place, 'characters of inline policies in an update', inUpdate, MAX_INLINE_POLICY_CHARACTERS),
      ...atMost(place, 'managed policies in an update', count, MAX_MANAGED_POLICIES),
    ];
  };
  return [
    ...policies.flatMap(({ isManaged, template, logicalId, characters: used }) => {
      const place = `${template.path}/${logicalId}`;
      const limit = isManaged ? MAX_MANAGED_POLICY_CHARACTERS : Infinity;
      return atMost(place, 'characters of a managed policy', used, limit);
    }),
    ...templates.flatMap((template) =>
      resourcesOf(template, 'AWS::IAM::Role').flatMap((role) => excessesOf(template, role)),
    ),
  ];
}

/**
 * Whether the logical id ends with the digest of the type and of the policy as it is in the template: a deployment replaces the
 * policy then (lib/aws/replaced-policy.ts).
 */
function isNamedByContent({ logicalId, type, properties }: TemplateResource): boolean {
  const content = `${type}${JSON.stringify(properties.PolicyDocument)}`;
  return logicalId.endsWith(createHash('sha256').update(content).digest('hex').slice(0, 8));
}

function listOf(value: Json | undefined): readonly Json[] {
  return value !== undefined && isJsonArray(value) ? value : [];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
