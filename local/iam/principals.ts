/** The principal of a request, and the principals that a statement of a resource policy names. */
import { unsupported } from '../local-cloud-error';
import { entriesOf, isJsonArray, isJsonObject, type Json } from '../json';

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

export interface PrincipalSelection {
  readonly anyone: boolean;
  /** ARNs, and ids of accounts. */
  readonly aws: readonly string[];
  readonly services: readonly string[];
}

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

export function service(name: string): ServicePrincipal {
  return { kind: 'service', name };
}

export function parsePrincipals(principal: Json, where: string): PrincipalSelection {
  if (principal === '*') return { anyone: true, aws: [], services: [] };
  if (!isJsonObject(principal)) throw unsupported(`the principal ${JSON.stringify(principal)} in ${where}`);
  const aws: string[] = [];
  const services: string[] = [];
  for (const [type, value] of entriesOf(principal)) {
    const names = (isJsonArray(value) ? value : [value]).map(String);
    if (type === 'AWS') aws.push(...names);
    else if (type === 'Service') services.push(...names);
    // No request here comes from a federated user.
    else if (type !== 'Federated') throw unsupported(`the principal type ${type} in ${where}`);
  }
  return { anyone: aws.includes('*'), aws, services };
}

export function naming(selection: PrincipalSelection, principal: Principal): Naming | undefined {
  if (principal.kind === 'service') {
    return selection.services.includes(principal.name) ? 'principal' : undefined;
  }
  const { aws } = selection;
  if (aws.includes(principal.arn)) return 'session';
  if (selection.anyone || aws.includes(principal.policiesOf)) return 'principal';
  const { account } = principal;
  const isNamed = aws.some(
    (name) => name === account || /^arn:[^:]+:iam::(\d{12}):root$/.exec(name)?.[1] === account,
  );
  return isNamed ? 'account' : undefined;
}
