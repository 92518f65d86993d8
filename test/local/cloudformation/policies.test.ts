import type { Json, JsonObject } from '../../../local/json';
import { readPolicies } from '../../../local/cloudformation/policies';
import { readStateMachine } from '../../../local/cloudformation/resources';
import { Template } from '../../../local/cloudformation/template';
import { Authorizer } from '../../../local/iam/authorizer';
import { roleSession } from '../../../local/iam/principals';

const ACCOUNT = '000000000000';
const OWN_ROLE = `arn:aws:iam::${ACCOUNT}:role/S-Role`;
const IMPORTED_ROLE = 'arn:aws:iam::000000000000:role/path/imported';
const OBJECT = 'arn:aws:s3:::data/x';

const statement = (action: string, resource: Json = '*', more: JsonObject = {}): JsonObject => ({
  Effect: 'Allow',
  Action: action,
  Resource: resource,
  ...more,
});
const document = (...statements: JsonObject[]): JsonObject => ({ Statement: statements });
const policies = (...statements: JsonObject[]) => [
  { PolicyName: 'P', PolicyDocument: document(...statements) },
];

/** The policies of a stack whose state machine has the role `Role`, or another one. */
function read(
  role: JsonObject,
  resources: JsonObject = {},
  roleArn: Json = { 'Fn::GetAtt': ['Role', 'Arn'] },
  bucketKeys: Readonly<Record<string, string>> = {},
) {
  const trust = { AssumeRolePolicyDocument: document() };
  const all = {
    Role: { Type: 'AWS::IAM::Role', Properties: { ...trust, ...role } },
    Machine: {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: { DefinitionString: '{}', RoleArn: roleArn },
    },
    Fn: { Type: 'AWS::Lambda::Function', Properties: { Role: OWN_ROLE } },
    ...resources,
  };
  const template = new Template({
    name: 'S',
    environment: { account: ACCOUNT, region: 'us-east-1' },
    template: { Resources: all },
  });
  const stateMachine = readStateMachine(template, template.resource('Machine'));
  for (const name of ['Fn', 'Bucket', 'Key']) {
    if (name in all) template.resolve({ Ref: name });
  }
  const found = readPolicies(template, [stateMachine], [], bucketKeys);
  const authorizer = new Authorizer();
  authorizer.update(found);
  const may = (action: 's3:GetObject' | 's3:PutObject' | 'kms:Decrypt', resource = OBJECT) =>
    authorizer.refusal(roleSession(stateMachine.roleArn ?? '', 's'), {
      action,
      resource,
      policyOf: action.startsWith('s3:') ? 'arn:aws:s3:::data' : resource,
    }) === undefined;
  return { ...found, authorizer, may };
}

const get = statement('s3:GetObject');

const READ_ONLY = 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess';
const attached = (type: string, role: string): JsonObject => ({
  Other: { Type: 'AWS::IAM::Role', Properties: {} },
  P: { Type: type, Properties: { Roles: [{ Ref: role }], PolicyDocument: document(get) } },
});
const managed = (logicalId: string): JsonObject => ({
  [logicalId]: { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: document(get) } },
});

test.each<[string, JsonObject, JsonObject, boolean]>([
  ['its inline policies', { Policies: policies(get) }, {}, true],
  ['an attached policy', {}, attached('AWS::IAM::Policy', 'Role'), true],
  ['an attached managed policy', {}, attached('AWS::IAM::ManagedPolicy', 'Role'), true],
  ["another role's policy", {}, attached('AWS::IAM::Policy', 'Other'), false],
  ['a managed policy of the stack', { ManagedPolicyArns: [{ Ref: 'Managed' }] }, managed('Managed'), true],
  ['a managed policy of AWS', { ManagedPolicyArns: [READ_ONLY] }, {}, true],
])('a role has %s: %4$s', (_, role, resources, mayGet) => {
  const { may, roles } = read(role, resources);
  expect([may('s3:GetObject'), may('s3:PutObject')]).toEqual([mayGet, false]);
  expect(roles.get(OWN_ROLE)?.unknown).toEqual([]);
});

test.each([
  ['an imported role', IMPORTED_ROLE, {}, `the role ${IMPORTED_ROLE}`],
  ['a role with an unknown managed policy', undefined, { ManagedPolicyArns: ['arn:p'] }, 'the policy arn:p'],
])('%s may do what no policy denies, and says so', (_, arn, role, unknown) => {
  const denies = document(statement('s3:PutObject', '*', { Effect: 'Deny' }));
  const properties = { Roles: ['imported', { Ref: 'Role' }], PolicyDocument: denies };
  const { may, roles } = read(role, { P: { Type: 'AWS::IAM::Policy', Properties: properties } }, arn);
  expect([may('s3:GetObject'), may('s3:PutObject')]).toEqual([true, false]);
  expect(roles.get(arn ?? OWN_ROLE)?.unknown).toEqual([unknown]);
});

test('a permissions boundary of the stack limits a role, and one from elsewhere is refused', () => {
  const role = { Policies: policies(statement('s3:*')) };
  const { may } = read({ ...role, PermissionsBoundary: { Ref: 'Boundary' } }, managed('Boundary'));
  expect([may('s3:GetObject'), may('s3:PutObject')]).toEqual([true, false]);
  expect(() => read({ ...role, PermissionsBoundary: 'arn:aws:iam::1:policy/b' })).toThrow(
    "the local cloud does not support the permissions boundary arn:aws:iam::1:policy/b of AWS::IAM::Role 'Role'",
  );
});

test('the policy of a bucket applies to the bucket', () => {
  const bucket = { Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'data' } } };
  const policy = (reference: Json) => ({
    Policy: {
      Type: 'AWS::S3::BucketPolicy',
      Properties: { Bucket: reference, PolicyDocument: document({ ...get, Principal: { AWS: OWN_ROLE } }) },
    },
  });
  expect(read({}, { ...bucket, ...policy({ Ref: 'Bucket' }) }).may('s3:GetObject')).toBe(true);
  expect(read({}, policy('data')).may('s3:GetObject')).toBe(true);
  expect(read({}, policy('other')).may('s3:GetObject')).toBe(false);
});

describe('a bucket has a key', () => {
  const key = { Key: { Type: 'AWS::KMS::Key', Properties: { KeyPolicy: document() } } };
  const bucket = (byDefault: JsonObject, more: JsonObject = {}) => ({
    Bucket: {
      Type: 'AWS::S3::Bucket',
      Properties: {
        BucketName: 'data',
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: byDefault, ...more }],
        },
      },
    },
  });
  const keyArn = /^arn:aws:kms:us-east-1:000000000000:key\/\w{32}$/;

  test.each<[string, Json]>([
    ['ARN', { 'Fn::GetAtt': ['Key', 'Arn'] }],
    ['id', { Ref: 'Key' }],
  ])('that it names by %s', (_, id) => {
    const named = bucket({ SSEAlgorithm: 'aws:kms', KMSMasterKeyID: id }, { BucketKeyEnabled: true });
    const found = read({}, { ...key, ...named }).bucketKeys.get('data');
    expect(found).toEqual({ keyArn: expect.stringMatching(keyArn) as string, bucketKeyEnabled: true });
  });

  test('that the caller names, if the stack does not define the bucket', () => {
    const { bucketKeys } = read({}, {}, OWN_ROLE, { assets: 'arn:k' });
    expect(bucketKeys.get('assets')).toEqual({ keyArn: 'arn:k', bucketKeyEnabled: false });
  });

  test('only if it is a customer managed key', () => {
    expect(read({}, bucket({ SSEAlgorithm: 'aws:kms' })).bucketKeys.size).toBe(0);
    expect(read({}, bucket({ SSEAlgorithm: 'AES256' })).bucketKeys.size).toBe(0);
  });
});

test("an imported key leaves its use to the account's policies", () => {
  const imported = 'arn:aws:kms:us-east-1:000000000000:key/imported';
  const { may } = read({ Policies: policies(statement('kms:Decrypt', imported)) });
  expect(may('kms:Decrypt', imported)).toBe(true);
  expect(may('kms:Decrypt', `${imported}2`)).toBe(false);
});
