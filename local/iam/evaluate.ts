/**
 * Decides whether a request is allowed, as AWS does within one account:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
 */
import type { Action } from './actions';
import type { RequestContext } from './conditions';
import type { Policy, Statement } from './policy';
import type { Naming, Principal } from './principals';

export interface AccessRequest {
  readonly principal: Principal;
  readonly action: Action;
  readonly resource: string;
  readonly context: RequestContext;
}

export interface IdentityPolicies {
  readonly policies: readonly Policy[];
  readonly boundary?: Policy;
  /** The template lacks some of its policies. So every request is allowed that the policies in the template do not deny. */
  readonly isOpen?: boolean;
}

export interface ApplicablePolicies {
  readonly identity?: IdentityPolicies;
  readonly resource?: Policy;
  /** Whether the resource's policy must allow the request or leave it to those of the account, as for keys and trust in a role. */
  readonly resourceDecides?: boolean;
}

type PolicyKind = 'identity-based policy' | 'resource-based policy' | 'permissions boundary';

/** Why a request is refused: a statement denies it, or a kind of policy has no statement that allows it. */
export interface Refusal {
  readonly kind: PolicyKind;
  readonly explicit: boolean;
}

export function refusal(request: AccessRequest, applicable: ApplicablePolicies): Refusal | undefined {
  const { identity, resource, resourceDecides = false } = applicable;
  const named = resource === undefined ? [] : namings(resource, request, 'Allow');
  const explicit = explicitDeny(request, applicable);
  if (explicit !== undefined) return { kind: explicit, explicit: true };

  const identityAllows =
    identity?.isOpen === true ||
    identity?.policies.some((policy) => hasStatement(policy, request, 'Allow')) === true;
  const bounded = identity?.boundary !== undefined && !hasStatement(identity.boundary, request, 'Allow');
  // A boundary does not limit what a resource's policy allows to a session by the session's own ARN:
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
  if (named.includes('session') || (named.includes('principal') && !bounded)) return undefined;
  if (resourceDecides && !named.includes('account'))
    return { kind: 'resource-based policy', explicit: false };
  if (!identityAllows) return { kind: 'identity-based policy', explicit: false };
  return bounded ? { kind: 'permissions boundary', explicit: false } : undefined;
}

function explicitDeny(
  request: AccessRequest,
  { identity, resource }: ApplicablePolicies,
): PolicyKind | undefined {
  if (identity?.policies.some((policy) => hasStatement(policy, request, 'Deny')) === true) {
    return 'identity-based policy';
  }
  if (resource !== undefined && namings(resource, request, 'Deny').length > 0) return 'resource-based policy';
  if (identity?.boundary !== undefined && hasStatement(identity.boundary, request, 'Deny')) {
    return 'permissions boundary';
  }
  return undefined;
}

function hasStatement(policy: Policy, request: AccessRequest, effect: Statement['effect']): boolean {
  return policy.statements.some((statement) => statement.effect === effect && applies(statement, request));
}

/** How the statements of a resource's policy that apply to the request name its principal. */
function namings(policy: Policy, request: AccessRequest, effect: Statement['effect']): Naming[] {
  return policy.statements.flatMap((statement) => {
    const how = statement.naming?.(request.principal);
    return how !== undefined && statement.effect === effect && applies(statement, request) ? [how] : [];
  });
}

function applies(statement: Statement, { action, resource, context }: AccessRequest): boolean {
  const { hasAction, hasResource, conditions } = statement;
  return hasAction(action) && hasResource(resource) && conditions.every((holds) => holds(context));
}

/** The reason in AWS's words: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html */
export function refusalMessage(
  { principal, action, resource }: AccessRequest,
  { kind, explicit }: Refusal,
): string {
  const caller = principal.kind === 'identity' ? `User: ${principal.arn}` : `Service: ${principal.name}`;
  // S3 quotes the resource.
  const what = action.startsWith('s3') ? `"${resource}"` : resource;
  const article = kind === 'identity-based policy' ? 'an' : 'a';
  const why = explicit
    ? `with an explicit deny in ${article} ${kind}`
    : `because no ${kind} allows the ${action} action`;
  return `${caller} is not authorized to perform: ${action} on resource: ${what} ${why}`;
}
