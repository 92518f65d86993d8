/** Policies that a deployment replaces instead of changing them. */
import { createHash } from 'node:crypto';
import { Lazy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { MAX_INLINE_POLICY_CHARACTERS } from './quotas';

/**
 * Attaches the statements as a policy whose logical id depends on them. While a deployment is in progress, runs still start on
 * the earlier model, and CloudFormation removes the earlier policy only after it has updated everything else. Until then the
 * role has both, so no run loses a permission. The policy is a child of the role: what depends on the role waits for it.
 *
 * A policy of more than half of what a role may hold is changed in place instead.
 */
export function attachReplacedPolicy(role: iam.Role, id: string, statements: iam.PolicyStatement[]): void {
  const document = new iam.PolicyDocument({ statements });
  const policy = new iam.Policy(role, id, { document, roles: [role] });
  const stack = Stack.of(role);
  const resource = policy.node.defaultChild as iam.CfnPolicy;
  const logicalId = stack.getLogicalId(resource);
  resource.overrideLogicalId(
    Lazy.uncachedString({
      produce: () => {
        const json = JSON.stringify(stack.resolve(document));
        if (2 * json.length > MAX_INLINE_POLICY_CHARACTERS) return logicalId;
        return `${logicalId}${createHash('sha256').update(json).digest('hex').slice(0, 8)}`;
      },
    }),
  );
}
