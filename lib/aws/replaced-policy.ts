/**
 * Policies that a deployment replaces instead of changing them. Their logical ids depend on their statements. While a
 * deployment is in progress, runs still start on the earlier model, and CloudFormation removes the earlier policy only after
 * it has updated everything else. Until then the roles have both, so no run loses a permission. A policy lists its roles,
 * because a role that lists its policies would lose the earlier one as soon as the role itself is updated.
 */
import { hash } from 'node:crypto';
import { type CfnResource, type IResolvable, Lazy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { deployedLength } from './deployed-length';
import {
  MAX_INLINE_POLICY_CHARACTERS,
  MAX_LOGICAL_ID_CHARACTERS,
  MAX_MANAGED_POLICY_CHARACTERS,
} from './quotas';

/**
 * Attaches statements to one role: in an inline policy, so that a pipeline of many slices takes few of the managed policies that
 * an account may have, or in managed ones if they are too long for it. What depends on the role waits for the policies.
 */
export function attachOwnPolicy(
  role: iam.Role,
  id: string,
  statements: readonly iam.PolicyStatement[],
): void {
  const document = new iam.PolicyDocument({ statements: [...statements] });
  if (deployedLength(role, document).most > MAX_OWN_POLICY_CHARACTERS) {
    attachPolicies(role, id, [role], statements);
    return;
  }
  const policy = new iam.Policy(role, id, { document, roles: [role] });
  nameByContent(policy.node.defaultChild as iam.CfnPolicy, document);
}

/** A role has the policies of two deployments for a while, and others of CDK or of the user. */
const MAX_OWN_POLICY_CHARACTERS = 0.4 * MAX_INLINE_POLICY_CHARACTERS;

/** Attaches statements to roles, in as many managed policies as their size needs. The ids of further policies have a number. */
export function attachPolicies(
  scope: Construct,
  id: string,
  roles: readonly iam.IRole[],
  statements: readonly iam.PolicyStatement[],
): iam.ManagedPolicy[] {
  return packed(scope, statements).map((part, index) => {
    const document = new iam.PolicyDocument({ statements: part });
    const policy = new iam.ManagedPolicy(scope, index === 0 ? id : `${id}${index}`, {
      document,
      roles: [...roles],
    });
    nameByContent(policy.node.defaultChild as iam.CfnManagedPolicy, document);
    return policy;
  });
}

function packed(scope: Construct, statements: readonly iam.PolicyStatement[]): iam.PolicyStatement[][] {
  const policies: iam.PolicyStatement[][] = [[]];
  let left = ROOM_FOR_STATEMENTS;
  for (const statement of statements) {
    const empty = deployedLength(scope, statement.copy({ resources: ['*'] }).toStatementJson()).most;
    let part: string[] = [];
    const put = (): void => {
      if (part.length > 0) policies[policies.length - 1].push(statement.copy({ resources: part }));
      part = [];
    };
    for (const resource of statement.resources) {
      const size = deployedLength(scope, resource).most + PUNCTUATION;
      if (left < ROOM_FOR_STATEMENTS && left < size + (part.length === 0 ? empty : 0)) {
        put();
        policies.push([]);
        left = ROOM_FOR_STATEMENTS;
      }
      left -= size + (part.length === 0 ? empty : 0);
      part.push(resource);
    }
    put();
  }
  return policies;
}

/** The rest of a policy is its version and punctuation. */
const ROOM_FOR_STATEMENTS = MAX_MANAGED_POLICY_CHARACTERS - 100;

const PUNCTUATION = 3;

function nameByContent(resource: CfnResource, document: IResolvable): void {
  const stack = Stack.of(resource);
  const logicalId = stack.getLogicalId(resource).slice(0, MAX_LOGICAL_ID_CHARACTERS - DIGEST_CHARACTERS);
  const produce = (): string => {
    // CloudFormation refuses to change the type of a resource.
    const content = `${resource.cfnResourceType}${JSON.stringify(stack.resolve(document))}`;
    return `${logicalId}${hash('sha256', content).slice(0, DIGEST_CHARACTERS)}`;
  };
  resource.overrideLogicalId(Lazy.uncachedString({ produce }));
}

const DIGEST_CHARACTERS = 8;
