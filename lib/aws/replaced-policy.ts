/**
 * Policies that a deployment replaces instead of changing them. Their logical ids depend on their statements. While a
 * deployment is in progress, runs still start on the earlier model, and CloudFormation removes the earlier policy only after
 * it has updated everything else. Until then the roles have both, so no run loses a permission. A policy lists its roles,
 * because a role that lists its policies would lose the earlier one as soon as the role itself is updated.
 */
import { createHash } from 'node:crypto';
import type { IResolvable } from 'aws-cdk-lib';
import { Lazy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { MAX_LOGICAL_ID_CHARACTERS, MAX_MANAGED_POLICY_CHARACTERS } from './quotas';

/**
 * Attaches statements to roles, in as many policies as their size needs. The ids of further policies have a number.
 * @param scope a role, if what depends on the role must wait for the policies
 */
export function attachPolicies(
  scope: Construct,
  id: string,
  roles: readonly iam.IRole[],
  statements: readonly iam.PolicyStatement[],
): iam.ManagedPolicy[] {
  return packed(Stack.of(scope), statements).map((part, index) => {
    const document = new iam.PolicyDocument({ statements: part });
    const policy = new iam.ManagedPolicy(scope, index === 0 ? id : `${id}${index}`, {
      document,
      roles: [...roles],
    });
    nameByContent(policy.node.defaultChild as iam.CfnManagedPolicy, document);
    return policy;
  });
}

/** Splits statements among policies, and a statement with many resources too. */
function packed(stack: Stack, statements: readonly iam.PolicyStatement[]): iam.PolicyStatement[][] {
  const policies: iam.PolicyStatement[][] = [[]];
  let left = ROOM_FOR_STATEMENTS;
  const put = (statement: iam.PolicyStatement): void => {
    const size = charactersOf(stack, statement.toStatementJson());
    if (size > left && policies[policies.length - 1].length > 0) {
      policies.push([]);
      left = ROOM_FOR_STATEMENTS;
    }
    policies[policies.length - 1].push(statement);
    left -= size;
  };
  for (const statement of statements) {
    const { resources } = statement;
    for (let start = 0; start < Math.max(1, resources.length); start += RESOURCES_PER_STATEMENT) {
      const part = resources.slice(start, start + RESOURCES_PER_STATEMENT);
      put(resources.length <= RESOURCES_PER_STATEMENT ? statement : statement.copy({ resources: part }));
    }
  }
  return policies;
}

/** The rest of a policy is its version and punctuation. */
const ROOM_FOR_STATEMENTS = MAX_MANAGED_POLICY_CHARACTERS - 100;

/** So that a statement fits into a policy: the ARN of an object or a function takes at most 150 characters here. */
const RESOURCES_PER_STATEMENT = 30;

/** Length as JSON. References count with their length in the template, which is more than that of their values. */
function charactersOf(stack: Stack, value: unknown): number {
  return JSON.stringify(stack.resolve(value)).length;
}

function nameByContent(resource: iam.CfnManagedPolicy, document: IResolvable): void {
  const stack = Stack.of(resource);
  const logicalId = stack.getLogicalId(resource).slice(0, MAX_LOGICAL_ID_CHARACTERS - DIGEST_CHARACTERS);
  const produce = (): string => {
    const json = JSON.stringify(stack.resolve(document));
    return `${logicalId}${createHash('sha256').update(json).digest('hex').slice(0, DIGEST_CHARACTERS)}`;
  };
  resource.overrideLogicalId(Lazy.uncachedString({ produce }));
}

const DIGEST_CHARACTERS = 8;
