/** The policies of each role of a case, resolved. */
import { createHash } from 'node:crypto';
import { isJsonArray, isJsonObject, type Json, type JsonObject } from '../../local/basics/json';
import {
  resourcesOf,
  type ResolvedTemplates,
  type SynthesizedTemplate,
  type TemplateResource,
} from './resolve';

const MANAGED = 'AWS::IAM::ManagedPolicy';

export interface AttachedPolicy {
  readonly logicalId: string;
  readonly kind: 'inline' | 'managed';
  /** Resolved. */
  readonly document: JsonObject;
  /** Whether a deployment replaces the policy, so that the role has both during an update (lib/aws/replaced-policy.ts). */
  readonly isReplaced: boolean;
}

export interface RolePolicies {
  readonly template: SynthesizedTemplate;
  readonly logicalId: string;
  readonly arn: string;
  /** Resolved. */
  readonly trust: JsonObject;
  readonly policies: readonly AttachedPolicy[];
  /** Number of managed policies of AWS. */
  readonly awsManaged: number;
}

export function rolePolicies(
  templates: readonly SynthesizedTemplate[],
  resolved: ResolvedTemplates,
): RolePolicies[] {
  const byRole = policiesByRole(templates, resolved);
  return templates.flatMap((template) =>
    resourcesOf(template, 'AWS::IAM::Role').map(({ logicalId, properties }) => {
      const name = resolved.text(template, { Ref: logicalId });
      const own = listOf(properties.Policies).map((policy) => ({
        logicalId,
        kind: 'inline' as const,
        document: documentOf(resolved, template, isJsonObject(policy) ? policy.PolicyDocument : undefined),
        isReplaced: false,
      }));
      const listed = listOf(properties.ManagedPolicyArns).map((policy) => managedPolicy(template, policy));
      const attached = [
        ...listed.filter((policy) => policy !== undefined).map((policy) => ({ template, policy })),
        ...(byRole.get(name) ?? []),
      ];
      return {
        template,
        logicalId,
        arn: resolved.text(template, { 'Fn::GetAtt': [logicalId, 'Arn'] }),
        trust: documentOf(resolved, template, properties.AssumeRolePolicyDocument),
        policies: [...own, ...attached.map((entry) => attachedPolicy(entry, resolved))],
        awsManaged: listed.filter((policy) => policy === undefined).length,
      };
    }),
  );
}

interface PolicyEntry {
  readonly template: SynthesizedTemplate;
  readonly policy: TemplateResource;
}

/** The managed policy of the stack that a role refers to, if it is not one of AWS. */
function managedPolicy(template: SynthesizedTemplate, arn: Json): TemplateResource | undefined {
  if (!isJsonObject(arn)) return undefined;
  return resourcesOf(template, MANAGED).find(({ logicalId }) => logicalId === arn.Ref);
}

/** The policies that name roles, by the name of the role. */
function policiesByRole(
  templates: readonly SynthesizedTemplate[],
  resolved: ResolvedTemplates,
): ReadonlyMap<string, readonly PolicyEntry[]> {
  const byRole = new Map<string, PolicyEntry[]>();
  for (const template of templates) {
    for (const policy of resourcesOf(template, 'AWS::IAM::Policy', MANAGED)) {
      for (const role of listOf(policy.properties.Roles)) {
        const name = resolved.text(template, role);
        byRole.set(name, [...(byRole.get(name) ?? []), { template, policy }]);
      }
    }
  }
  return byRole;
}

function attachedPolicy({ template, policy }: PolicyEntry, resolved: ResolvedTemplates): AttachedPolicy {
  const { logicalId, type, properties } = policy;
  return {
    logicalId,
    kind: type === MANAGED ? 'managed' : 'inline',
    document: documentOf(resolved, template, properties.PolicyDocument),
    isReplaced: isNamedByContent(logicalId, type, properties.PolicyDocument),
  };
}

/** Whether the logical id ends with the digest of the type and of the policy as it is in the template. */
function isNamedByContent(logicalId: string, type: string, document: Json | undefined): boolean {
  const content = `${type}${JSON.stringify(document)}`;
  const digest = createHash('sha256').update(content).digest('hex').slice(0, 8);
  return logicalId.endsWith(digest);
}

function documentOf(
  resolved: ResolvedTemplates,
  template: SynthesizedTemplate,
  document: Json | undefined,
): JsonObject {
  const value = resolved.resolve(template, document ?? null);
  if (isJsonObject(value)) return value;
  throw new Error(`a policy of ${template.path} is no JSON object`);
}

function listOf(value: Json | undefined): readonly Json[] {
  return value !== undefined && isJsonArray(value) ? value : [];
}
