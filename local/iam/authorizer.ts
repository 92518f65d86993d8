/** Authorizes the requests to the local cloud against the policies of the deployed stack. */
import type { Action } from './actions';
import type { RequestContext } from './conditions';
import { type AccessRequest, type IdentityPolicies, refusal, refusalMessage } from './evaluate';
import { parsePolicy, type Policy } from './policy';
import { type Principal, service } from './principals';

export interface BucketKey {
  readonly keyArn: string;
  /** Whether S3 uses a key of the bucket between the KMS key and the objects. */
  readonly bucketKeyEnabled: boolean;
}

export interface AccountPolicies {
  readonly account: string;
  readonly region: string;
  /** By ARN of the role or the user. */
  readonly identities: ReadonlyMap<string, IdentityPolicies>;
  /** By ARN of the bucket, the key, the alias of a function with a URL, or the role. */
  readonly resources: ReadonlyMap<string, Policy>;
  /** By name of the bucket. */
  readonly bucketKeys: ReadonlyMap<string, BucketKey>;
}

export interface Needed {
  readonly action: Action;
  /** ARN, or `*` for an action without a resource. */
  readonly resource: string;
  readonly policyOf?: string;
  /** Condition keys of the request, in lower case, besides those of its principal. */
  readonly context?: Readonly<Record<string, string>>;
}

/** A decision. */
export interface Access {
  /** ARN of the role, or of the user, or name of the service. */
  readonly principal: string;
  readonly action: string;
  /** ARN, or `*` for an action without a resource. */
  readonly resource: string;
  /** Why the request was refused, in AWS's words; absent if it was allowed. */
  readonly refusal?: string;
}

const NOTHING = { identities: new Map(), resources: new Map(), bucketKeys: new Map() };

export class Authorizer {
  private policies: AccountPolicies = { account: '', region: '', ...NOTHING };

  constructor(private readonly onAccess: (access: Access) => void = () => undefined) {}

  /** Replaces all policies. As on AWS, this changes what running functions may do. */
  update(policies: AccountPolicies): void {
    this.policies = policies;
  }

  get account(): string {
    return this.policies.account;
  }

  get region(): string {
    return this.policies.region;
  }

  bucketKey(bucket: string): BucketKey | undefined {
    return this.policies.bucketKeys.get(bucket);
  }

  keyNamed(name: string): string | undefined {
    const { account, region, resources, bucketKeys } = this.policies;
    const arn = name.includes(':key/') ? name : `arn:aws:kms:${region}:${account}:key/${name}`;
    const isKnown = resources.has(arn) || [...bucketKeys.values()].some(({ keyArn }) => keyArn === arn);
    return isKnown ? arn : undefined;
  }

  /**
   * Returns the refusal if no service of the list may assume the role for the resource, and `undefined` if one of them may. An imported role
   * counts as assumable: the template does not contain its trust policy.
   */
  assumptionRefusal(roleArn: string, services: readonly string[], sourceArn: string): string | undefined {
    if (!this.policies.resources.has(roleArn)) return undefined;
    // That all services send these two condition keys when they assume a role is believed, not documented.
    const context = { 'aws:sourceaccount': this.account, 'aws:sourcearn': sourceArn };
    let refusal: string | undefined;
    for (const name of services) {
      refusal = this.refusal(service(name), { action: 'sts:AssumeRole', resource: roleArn, context });
      if (refusal === undefined) return undefined;
    }
    return refusal;
  }

  /** As `refusal`, of the first one that it may not do. */
  firstRefusal(principal: Principal, needs: readonly Needed[]): string | undefined {
    for (const need of needs) {
      const refusal = this.refusal(principal, need);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  /** Returns why the principal may not do this, in AWS's words, or `undefined` if it may. */
  refusal(principal: Principal, needed: Needed): string | undefined {
    const { action, resource, policyOf = resource, context = {} } = needed;
    const request: AccessRequest = {
      principal,
      action,
      resource,
      context: this.context(principal, context),
    };
    const isKey = policyOf.includes(':kms:');
    const reason = refusal(request, {
      ...(principal.kind === 'identity' && {
        identity: this.policies.identities.get(principal.policiesOf) ?? { policies: [] },
      }),
      resource: this.policies.resources.get(policyOf) ?? (isKey ? this.defaultKeyPolicy() : undefined),
      resourceDecides: isKey || principal.kind === 'service',
    });
    const message = reason && refusalMessage(request, reason);
    this.onAccess({
      principal: principal.kind === 'identity' ? principal.policiesOf : principal.name,
      action,
      resource,
      ...(message !== undefined && { refusal: message }),
    });
    return message;
  }

  private context(principal: Principal, more: Readonly<Record<string, string>>): RequestContext {
    const { account, region } = this.policies;
    const own = principal.kind === 'identity' && {
      'aws:principalarn': principal.policiesOf,
      'aws:principalaccount': principal.account,
      'aws:principaltype': principal.arn.includes(':assumed-role/') ? 'AssumedRole' : 'User',
      ...(principal.functionArn !== undefined && { 'lambda:sourcefunctionarn': principal.functionArn }),
    };
    const all = { 'aws:requestedregion': region, 'aws:resourceaccount': account, ...own, ...more };
    return new Map(Object.entries(all));
  }

  /** Of an imported key: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html */
  private defaultKeyPolicy(): Policy {
    const everything = { Effect: 'Allow', Action: '*', Resource: '*' };
    const statement = { ...everything, Principal: { AWS: this.policies.account } };
    return parsePolicy({ Statement: statement }, 'the policy of an imported key');
  }
}
