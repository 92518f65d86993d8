/** Sizes and numbers of the policies of roles, during an update too, while a role has two generations of some of them. */
import { createHash } from 'node:crypto';
import { MAX_INLINE_POLICY_CHARACTERS, MAX_MANAGED_POLICY_CHARACTERS } from '../../../lib/aws/quotas';
import { isJsonArray, isJsonObject, type Json } from '../../../local/json';
import { resourcesOf, type SynthesizedTemplate, type TemplateResource, type Templates } from '../resolve';
import type { Finding } from '../synthesize';

/** Managed policies of a role: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const MAX_MANAGED_POLICIES = 10;

const MANAGED = 'AWS::IAM::ManagedPolicy';

/** The one comparison of all limits. */
export function atMost(place: string, what: string, used: number, limit: number): Finding[] {
  return used <= limit ? [] : [{ place, message: `${what} must be at most ${limit}, got ${used}` }];
}

interface Policy {
  readonly template: SynthesizedTemplate;
  readonly logicalId: string;
  readonly isManaged: boolean;
  readonly characters: number;
  /** How many of the policy a role has during an update at most. */
  readonly generations: number;
  /** Names of the roles that it names itself. */
  readonly roles: readonly string[];
}

export function policyExcesses({ templates, resolved }: Templates): Finding[] {
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
