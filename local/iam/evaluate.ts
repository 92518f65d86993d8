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
  const { policies = [], boundary, isOpen = false } = identity ?? {};
  const has = (effect: Statement['effect'], policy: Policy): boolean =>
    policy.statements.some((statement) => statement.effect === effect && applies(statement, request));
  const named = (effect: Statement['effect']): Naming[] =>
    resource ? namings(resource, request, effect) : [];
  if (policies.some((policy) => has('Deny', policy)))
    return { kind: 'identity-based policy', explicit: true };
  if (named('Deny').length > 0) return { kind: 'resource-based policy', explicit: true };
  if (boundary && has('Deny', boundary)) return { kind: 'permissions boundary', explicit: true };

  const allowed = named('Allow');
  const bounded = boundary !== undefined && !has('Allow', boundary);
  // A boundary does not limit what a resource's policy allows to a session by the session's own ARN:
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
  if (allowed.includes('session') || (allowed.includes('principal') && !bounded)) return undefined;
  if (resourceDecides && !allowed.includes('account'))
    return { kind: 'resource-based policy', explicit: false };
  const identityAllows = isOpen || policies.some((policy) => has('Allow', policy));
  if (!identityAllows) return { kind: 'identity-based policy', explicit: false };
  return bounded ? { kind: 'permissions boundary', explicit: false } : undefined;
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
