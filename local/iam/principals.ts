/** The principal of a request, and the principals that a statement of a resource policy names. */
import { unsupported } from '../local-cloud-error';
import { isJsonObject, type Json, listOf } from '../json';

export interface Identity {
  readonly kind: 'identity';
  /** ARN of the session or of the user. */
  readonly arn: string;
  /** ARN of the role of a session, or of the user: its policies are the identity's. */
  readonly policiesOf: string;
  readonly account: string;
  /** Unqualified ARN of the function whose code makes the request. */
  readonly functionArn?: string;
}

export interface ServicePrincipal {
  readonly kind: 'service';
  readonly name: string;
}

export type Principal = Identity | ServicePrincipal;

/**
 * How a statement names a principal. A statement for the whole account only lets the account's identity policies decide:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 */
export type Naming = 'session' | 'principal' | 'account';

export function roleSession(
  roleArn: string,
  sessionName: string,
  more: Pick<Identity, 'functionArn'> = {},
): Identity {
  const [, partition, , , account, resource = ''] = roleArn.split(':');
  // A role may have a path, which the ARN of a session does not have.
  const roleName = resource.split('/').at(-1) ?? '';
  return {
    kind: 'identity',
    arn: `arn:${partition}:sts::${account}:assumed-role/${roleName}/${sessionName}`,
    policiesOf: roleArn,
    account,
    ...more,
  };
}

/** Has no policies of its own, so it may do what a resource allows to everybody. */
export const ANONYMOUS: Identity = {
  ...{ kind: 'identity', arn: 'anonymous', policiesOf: 'anonymous', account: 'anonymous' },
};

export function service(name: string): ServicePrincipal {
  return { kind: 'service', name };
}

export function parsePrincipals(
  principal: Json,
  where: string,
): (principal: Principal) => Naming | undefined {
  const named = principal === '*' ? { AWS: '*' } : principal;
  if (!isJsonObject(named)) throw unsupported(`the principal ${JSON.stringify(principal)} in ${where}`);
  // No request here comes from a federated user.
  const unknown = Object.keys(named).find((type) => !['AWS', 'Service', 'Federated'].includes(type));
  if (unknown !== undefined) throw unsupported(`the principal type ${unknown} in ${where}`);
  // ARNs, and ids of accounts.
  const aws = listOf(named.AWS).map(String);
  const services = listOf(named.Service).map(String);
  return (caller) => {
    if (caller.kind === 'service') return services.includes(caller.name) ? 'principal' : undefined;
    if (aws.includes(caller.arn)) return 'session';
    if (aws.includes('*') || aws.includes(caller.policiesOf)) return 'principal';
    const { account } = caller;
    const isNamed = aws.some(
      (name) => name === account || /^arn:[^:]+:iam::(\d{12}):root$/.exec(name)?.[1] === account,
    );
    return isNamed ? 'account' : undefined;
  };
}
