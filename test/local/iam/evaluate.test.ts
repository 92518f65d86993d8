import type { Json, JsonObject } from '../../../local/json';
import type { Action } from '../../../local/iam/actions';
import { type ApplicablePolicies, refusal } from '../../../local/iam/evaluate';
import { parsePolicy } from '../../../local/iam/policy';
import { type Principal, roleSession } from '../../../local/iam/principals';

const ROLE = 'arn:aws:iam::111111111111:role/path/Reader';
const SESSION = 'arn:aws:sts::111111111111:assumed-role/Reader/fn';
const OBJECT = 'arn:aws:s3:::bucket/inputs/x';
const KEY = 'arn:aws:kms:us-east-1:111111111111:key/k';
const reader = roleSession(ROLE, 'fn');
const REFUSED = 'no identity-based policy allows it';

const policy = (...statements: JsonObject[]) => parsePolicy({ Statement: statements }, 'a policy');
const allow = (more: JsonObject = {}): JsonObject => ({
  Effect: 'Allow',
  Action: 's3:GetObject',
  Resource: 'arn:aws:s3:::bucket/inputs/*',
  ...more,
});
const deny = (more: JsonObject = {}): JsonObject => allow({ ...more, Effect: 'Deny' });
const to = (principal: string | JsonObject, more: JsonObject = {}): JsonObject =>
  allow({ Principal: principal, ...more });

/** Returns `allowed`, or the refusal in words. */
function decide(
  applicable: ApplicablePolicies,
  {
    principal = reader,
    action = 's3:GetObject',
    resource = OBJECT,
  }: { readonly principal?: Principal; readonly action?: Action; readonly resource?: string } = {},
): string {
  const found = refusal({ principal, action, resource, context: new Map() }, applicable);
  if (found === undefined) return 'allowed';
  return found.explicit ? `denied by a ${found.kind}` : `no ${found.kind} allows it`;
}

describe('a role', () => {
  const identity = { policies: [policy(allow())] };

  test('may do what one of its policies allows, and nothing else', () => {
    expect(decide({ identity })).toBe('allowed');
    expect(decide({ identity }, { resource: 'arn:aws:s3:::bucket/outputs/x' })).toBe(REFUSED);
    expect(decide({ identity }, { action: 's3:PutObject' })).toBe(REFUSED);
  });

  test.each<[string, JsonObject, boolean]>([
    ['an action in other letters', { Action: 'S3:getobject' }, true],
    ['a pattern of actions', { Action: ['s3:Get*', 's3:List?ucket'] }, true],
    ['all actions but others', { Action: undefined, NotAction: ['s3:PutObject'] }, true],
    ['all actions but this', { Action: undefined, NotAction: ['s3:Get*'] }, false],
    ['all resources but this', { Resource: undefined, NotResource: 'arn:aws:s3:::bucket/*' }, false],
  ])('is allowed by %s: %#', (_, more, isAllowed) => {
    const found = decide({ identity: { policies: [policy(allow(more))] } });
    expect(found === 'allowed').toBe(isAllowed);
  });

  test('may not do what any policy denies', () => {
    const denies = policy(deny({ Action: 's3:*' }));
    expect(decide({ identity: { policies: [policy(allow()), denies] } })).toBe(
      'denied by a identity-based policy',
    );
    const resource = policy(deny({ Principal: '*' }));
    expect(decide({ identity, resource })).toBe('denied by a resource-based policy');
    expect(decide({ identity: { ...identity, boundary: denies } })).toBe('denied by a permissions boundary');
  });

  test('may do within its boundary what its policies allow', () => {
    const boundary = policy(allow({ Action: 's3:PutObject' }));
    expect(decide({ identity: { ...identity, boundary } })).toBe('no permissions boundary allows it');
    expect(decide({ identity: { ...identity, boundary: policy(allow({ Action: 's3:*' })) } })).toBe(
      'allowed',
    );
  });
});

describe('the policy of a resource', () => {
  const identity = { policies: [] };

  test.each<[string, string | JsonObject, string]>([
    ['anyone', '*', 'allowed'],
    ['the role', { AWS: [ROLE] }, 'allowed'],
    ['the session', { AWS: SESSION }, 'allowed'],
    ['the account', { AWS: 'arn:aws:iam::111111111111:root' }, REFUSED],
    ['another role', { AWS: `${ROLE}2` }, REFUSED],
    ['a service', { Service: 'lambda.amazonaws.com' }, REFUSED],
  ])('for %s: %#', (_, principal, expected) => {
    expect(decide({ identity, resource: policy(to(principal)) })).toBe(expected);
  });

  test('is limited by a boundary if it names the role, but not if it names the session', () => {
    const boundary = policy(allow({ Action: 's3:PutObject' }));
    const bounded = { policies: [], boundary };
    expect(decide({ identity: bounded, resource: policy(to({ AWS: ROLE })) })).toBe(REFUSED);
    expect(decide({ identity: bounded, resource: policy(to({ AWS: SESSION })) })).toBe('allowed');
  });

  test('of a key must allow the use, or leave it to the account', () => {
    const use = { action: 'kms:Decrypt', resource: KEY } as const;
    const uses = { policies: [policy(allow({ Action: 'kms:Decrypt', Resource: KEY }))] };
    const keyFor = (principal: JsonObject) => ({
      resource: policy(to(principal, { Action: 'kms:*', Resource: '*' })),
      resourceDecides: true,
    });
    expect(decide({ identity: uses, ...keyFor({ AWS: '111111111111' }) }, use)).toBe('allowed');
    expect(decide({ identity, ...keyFor({ AWS: '111111111111' }) }, use)).toBe(REFUSED);
    expect(decide({ identity, ...keyFor({ AWS: ROLE }) }, use)).toBe('allowed');
    expect(decide({ identity: uses, ...keyFor({ AWS: '222222222222' }) }, use)).toBe(
      'no resource-based policy allows it',
    );
  });
});

describe('a policy', () => {
  test.each<[JsonObject, string]>([
    [allow({ Sids: 'x' }), 'the element Sids in a policy'],
    [allow({ Effect: 'allow' }), 'the effect "allow" in a policy'],
    [
      allow({ Resource: 'arn:aws:s3:::${aws:username}/*' }),
      "the policy variable in 'arn:aws:s3:::${aws:username}/*'",
    ],
    [to({ CanonicalUser: 'x' }), 'the principal type CanonicalUser in a policy'],
  ])('with %j is refused by name', (statement, message) => {
    expect(() => policy(statement)).toThrow(`the local cloud does not support ${message}`);
  });

  test('may contain anything about actions that the local cloud does not authorize', () => {
    const statement = {
      Effect: 'Allow',
      Action: 'dynamodb:GetItem',
      Resource: { 'Fn::ImportValue': 'table' },
      Condition: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['${aws:username}'] } },
    };
    const resolve = (value: Json): Json => {
      if (typeof value === 'object') throw new Error('must not be resolved');
      return value;
    };
    expect(parsePolicy({ Statement: statement }, 'a policy', resolve)).toEqual({ statements: [] });
  });
});
