/** Sizes and numbers of the policies of roles, during an update too, while a role has two generations of some of them. */
import { MAX_INLINE_POLICY_CHARACTERS, MAX_MANAGED_POLICY_CHARACTERS } from '../../../../lib/aws/quotas';
import type { JsonObject } from '../../../../local/basics/json';
import type { Finding } from '../../check';
import { rolePolicies, type AttachedPolicy, type RolePolicies } from '../../policies';
import { MAX_MANAGED_POLICIES, MAX_TRUST_POLICY_CHARACTERS } from '../../quotas';
import { atMost } from './at-most';
import type { Templates } from '../../resolve';

export function policyExcesses({ templates, resolved }: Templates): Finding[] {
  return rolePolicies(templates, resolved).flatMap(roleExcesses);
}

function roleExcesses({ template, logicalId, trust, policies, awsManaged }: RolePolicies): Finding[] {
  const place = `${template.path}/${logicalId}`;
  const inline = policies.filter(({ kind }) => kind === 'inline');
  const managed = policies.filter(({ kind }) => kind === 'managed');
  const inlineCharacters = sum(inline.map((policy) => generations(policy) * charactersOf(policy.document)));
  const attached = awsManaged + sum(managed.map(generations));
  return [
    ...atMost(place, 'characters of the trust policy', charactersOf(trust), MAX_TRUST_POLICY_CHARACTERS),
    ...atMost(
      place,
      'characters of inline policies in an update',
      inlineCharacters,
      MAX_INLINE_POLICY_CHARACTERS,
    ),
    ...atMost(place, 'managed policies in an update', attached, MAX_MANAGED_POLICIES),
    ...managed.flatMap((policy) =>
      atMost(
        `${template.path}/${policy.logicalId}`,
        'characters of a managed policy',
        charactersOf(policy.document),
        MAX_MANAGED_POLICY_CHARACTERS,
      ),
    ),
  ];
}

/** How many of a policy a role has during an update at most. */
function generations({ isReplaced }: AttachedPolicy): number {
  return isReplaced ? 2 : 1;
}

/** IAM does not count whitespace, of which `JSON.stringify` writes none. */
function charactersOf(document: JsonObject): number {
  return JSON.stringify(document).length;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
