/**
 * Policies that a deployment replaces instead of changing them. Their logical ids depend on their statements. While a
 * deployment is in progress, runs still start on the earlier model, and CloudFormation removes the earlier policy only after
 * it has updated everything else. Until then the role has both, so no run loses a permission. The policies are children of the
 * role: what depends on the role waits for them.
 */
import { createHash } from 'node:crypto';
import type { CfnResource } from 'aws-cdk-lib';
import { Lazy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { MAX_INLINE_POLICY_CHARACTERS } from './quotas';

/**
 * Attaches an inline policy. The inline policies of a role have a common limit, so one of more than half of it is changed in
 * place instead.
 */
export function attachInlinePolicy(role: iam.Role, id: string, statements: iam.PolicyStatement[]): void {
  const document = new iam.PolicyDocument({ statements });
  const policy = new iam.Policy(role, id, { document, roles: [role] });
  nameByContent(policy.node.defaultChild as iam.CfnPolicy, document, MAX_INLINE_POLICY_CHARACTERS / 2);
}

/** Attaches a managed policy. A role may have ten. */
export function attachManagedPolicy(role: iam.Role, id: string, statements: iam.PolicyStatement[]): void {
  const document = new iam.PolicyDocument({ statements });
  const policy = new iam.ManagedPolicy(role, id, { document, roles: [role] });
  nameByContent(policy.node.defaultChild as iam.CfnManagedPolicy, document, Infinity);
}

function nameByContent(resource: CfnResource, document: iam.PolicyDocument, maxCharacters: number): void {
  const stack = Stack.of(resource);
  const logicalId = stack.getLogicalId(resource);
  resource.overrideLogicalId(
    Lazy.uncachedString({
      produce: () => {
        const json = JSON.stringify(stack.resolve(document));
        if (json.length > maxCharacters) return logicalId;
        return `${logicalId}${createHash('sha256').update(json).digest('hex').slice(0, 8)}`;
      },
    }),
  );
}
