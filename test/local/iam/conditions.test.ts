import type { Json } from '../../../local/json';
import { parseConditions } from '../../../local/iam/conditions';

function allHold(conditions: Json, context: Readonly<Record<string, string>>): boolean {
  const values = new Map(Object.entries(context));
  return parseConditions(conditions, 'a policy').every((holds) => holds(values));
}

const role = { 'aws:principalarn': 'arn:aws:iam::1:role/Admin' };

test.each<[Json, Readonly<Record<string, string>>, boolean]>([
  [{ Bool: { 'aws:SecureTransport': 'false' } }, { 'aws:securetransport': 'false' }, true],
  [{ NumericLessThan: { 's3:TlsVersion': 1.2 } }, { 's3:tlsversion': '1.1' }, true],
  [{ NumericLessThan: { 's3:TlsVersion': '1.2' } }, { 's3:tlsversion': '1.3' }, false],
  [{ NumericGreaterThanEquals: { 's3:TlsVersion': 1.2 } }, { 's3:tlsversion': '1.2' }, true],
  // A condition on a missing key does not hold, unless it is negated.
  [{ NumericLessThan: { 's3:TlsVersion': 1.2 } }, {}, false],
  [{ StringEquals: { 'aws:SourceAccount': '1' } }, {}, false],
  [{ StringNotEquals: { 'aws:SourceAccount': '1' } }, {}, true],
  [{ StringEqualsIfExists: { 'aws:SourceAccount': '1' } }, {}, true],
  [{ StringEqualsIfExists: { 'aws:SourceAccount': '1' } }, { 'aws:sourceaccount': '2' }, false],
  [{ Null: { 'lambda:SourceFunctionArn': 'false' } }, { 'lambda:sourcefunctionarn': 'arn' }, true],
  [{ Null: { 'lambda:SourceFunctionArn': 'false' } }, {}, false],
  [{ Null: { 'lambda:SourceFunctionArn': 'true' } }, {}, true],
  [{ StringLike: { 'kms:ViaService': 's3.*' } }, { 'kms:viaservice': 's3.us-east-1.amazonaws.com' }, true],
  // Several values are alternatives, and negated operators exclude all of them.
  [{ StringEquals: { 'aws:SourceAccount': ['1', '2'] } }, { 'aws:sourceaccount': '2' }, true],
  [{ StringNotEquals: { 'aws:SourceAccount': ['1', '2'] } }, { 'aws:sourceaccount': '2' }, false],
  // All keys of all operators must hold.
  [
    { StringEquals: { 'aws:SourceAccount': '1' }, Bool: { 'aws:SecureTransport': 'true' } },
    { 'aws:sourceaccount': '1' },
    false,
  ],
  [{ StringEqualsIgnoreCase: { 'aws:PrincipalArn': 'ARN:AWS:IAM::1:ROLE/ADMIN' } }, role, true],
  [{ ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:role/A*' } }, role, true],
  // ArnEquals allows wildcards too, and they stay within a field of the ARN.
  [{ ArnEquals: { 'aws:PrincipalArn': 'arn:aws:iam::1:role/A*' } }, role, true],
  [{ ArnLike: { 'aws:PrincipalArn': 'arn:*:role/Admin' } }, role, false],
  [{ ArnNotLike: { 'aws:PrincipalArn': 'arn:aws:iam::1:role/A*' } }, role, false],
])('%j with %j holds: %s', (conditions, context, expected) => {
  expect(allHold(conditions, context)).toBe(expected);
});

test.each<[Json, string]>([
  [{ IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }, 'the condition operator IpAddress in a policy'],
  [
    { 'ForAllValues:StringEquals': { 'aws:TagKeys': 'x' } },
    'the condition operator ForAllValues:StringEquals',
  ],
  [{ StringEquals: { 'aws:PrincipalOrgID': 'o-1' } }, 'the condition key aws:PrincipalOrgID in a policy'],
  [
    { StringEquals: { 'aws:SourceAccount': '${aws:PrincipalAccount}' } },
    "the policy variable in '${aws:PrincipalAccount}'",
  ],
])('%j is refused by name', (conditions, message) => {
  expect(() => parseConditions(conditions, 'a policy')).toThrow(
    `the local cloud does not support ${message}`,
  );
});
