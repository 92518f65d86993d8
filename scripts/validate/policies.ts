/** The policies of each role of a case, resolved. */
import { createHash } from 'node:crypto';
import { isJsonArray, isJsonObject, type Json, type JsonObject } from '../../local/basics/json';
import { resourcesOf, type ResolvedTemplates, type SynthesizedTemplate } from './resolve';

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
  readonly policies: readonly AttachedPolicy[];
  /** Number of managed policies of AWS. */
  readonly awsManaged: number;
}

export function rolePolicies(
  templates: readonly SynthesizedTemplate[],
  resolved: ResolvedTemplates,
): RolePolicies[] {
  return templates.flatMap((template) =>
    resourcesOf(template, 'AWS::IAM::Role').map(({ logicalId, properties }) => {
      const name = resolved.resolve(template, { Ref: logicalId });
      const own = list(properties.Policies).map((policy) => ({
        logicalId,
        kind: 'inline' as const,
        document: documentOf(resolved, template, isJsonObject(policy) ? policy.PolicyDocument : undefined),
        isReplaced: false,
      }));
      const attached = templates.flatMap((other) => attachedPolicies(other, resolved, name));
      const arn = String(resolved.resolve(template, { 'Fn::GetAtt': [logicalId, 'Arn'] }));
      const awsManaged = list(properties.ManagedPolicyArns).length;
      return { template, logicalId, arn, policies: [...own, ...attached], awsManaged };
    }),
  );
}

function attachedPolicies(
  template: SynthesizedTemplate,
  resolved: ResolvedTemplates,
  role: Json,
): AttachedPolicy[] {
  return resourcesOf(template, 'AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy')
    .filter(({ properties }) =>
      list(properties.Roles).some((name) => resolved.resolve(template, name) === role),
    )
    .map(({ logicalId, type, properties }) => ({
      logicalId,
      kind: type === 'AWS::IAM::Policy' ? 'inline' : 'managed',
      document: documentOf(resolved, template, properties.PolicyDocument),
      isReplaced: isNamedByContent(logicalId, properties.PolicyDocument),
    }));
}

/** Whether the logical id ends with the digest of the policy as it is in the template. */
function isNamedByContent(logicalId: string, document: Json | undefined): boolean {
  const digest = createHash('sha256').update(JSON.stringify(document)).digest('hex').slice(0, 8);
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

function list(value: Json | undefined): readonly Json[] {
  return value !== undefined && isJsonArray(value) ? value : [];
}
