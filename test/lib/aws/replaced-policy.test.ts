/** What a deployment adds and removes when the model or a key of a stack changes. */
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Slicing } from '../../../lib';
import { attachOwnPolicy, attachPolicies } from '../../../lib/aws/replaced-policy';
import { Template as LocalTemplate } from '../../../local/cloudformation/template';
import { mlp, saveModel } from '../../support/model-builder';
import { addPipeline, newApp, newStack } from '../../support/pipeline-stack';

interface Attribute {
  readonly 'Fn::GetAtt': readonly [string, string];
}

interface Resource {
  readonly Type: string;
  readonly DependsOn?: readonly string[];
  readonly Properties: {
    readonly PolicyName?: string;
    readonly Role?: Attribute;
    readonly RoleArn?: Attribute;
    readonly Roles?: readonly { readonly Ref: string }[];
    readonly ManagedPolicyArns?: unknown;
    readonly ManagedPolicyName?: string;
    readonly PolicyDocument?: { readonly Statement: readonly { readonly Resource: string | string[] }[] };
  };
}

type Resources = Readonly<Record<string, Resource>>;

const resourcesIn = (stack: Stack): Resources => Template.fromStack(stack).toJSON().Resources as Resources;

function pipelineOf(layers: number, slices: number): Resources {
  const stack = newStack();
  const own = { modelPath: saveModel(mlp(layers)), dimensions: { batch: 1 }, slicing: Slicing.count(slices) };
  addPipeline(stack, 'Pipeline', own);
  return resourcesIn(stack);
}

/** Without the policy of the state machine that CDK adds and never replaces. */
function policiesOf(resources: Resources): string[] {
  const isPolicy = (id: string): boolean => /^AWS::IAM::(Managed)?Policy$/.test(resources[id].Type);
  return Object.keys(resources).filter((id) => isPolicy(id) && !id.includes('DefaultPolicy'));
}

const rolesOf = (resources: Resources, policy: string): string[] =>
  (resources[policy].Properties.Roles ?? []).map(({ Ref }) => Ref);

describe('the policies of a pipeline', () => {
  const four = pipelineOf(4, 4);
  const ids = policiesOf(four);

  it('are added beside the earlier ones, of the same roles, if another model has fewer slices', () => {
    const two = pipelineOf(5, 2);
    // All slices may still write logs, but the list of roles of this policy is shorter.
    const own = policiesOf(two).filter((id) => !id.includes('SlicePolicy'));
    expect(own).toHaveLength(3);
    expect(own.filter((id) => ids.includes(id))).toEqual([]);
    const roles = ids.flatMap((id) => rolesOf(four, id));
    expect(own.flatMap((id) => rolesOf(two, id)).filter((role) => !roles.includes(role))).toEqual([]);
  });

  it('name their roles, which a role that named its policies would detach as soon as it is updated', () => {
    const roles = Object.values(four).filter(({ Type }) => Type === 'AWS::IAM::Role');
    for (const { Properties } of roles) expect(Properties.ManagedPolicyArns).toBeUndefined();
    // An inline policy of the same name would overwrite the earlier one.
    for (const id of ids) {
      const { ManagedPolicyName: managed, PolicyName: inline = id } = four[id].Properties;
      expect([managed, inline]).toEqual([undefined, id]);
    }
  });

  it('are in place before what uses their roles changes', () => {
    const users = Object.values(four).filter(({ Type }) => /(Lambda::Function|StateMachine)$/.test(Type));
    expect(users).toHaveLength(5);
    for (const { Properties, DependsOn } of users) {
      const [role] = (Properties.Role ?? Properties.RoleArn)?.['Fn::GetAtt'] ?? [''];
      const needed = ids.filter((id) => rolesOf(four, id).includes(role));
      expect(needed).not.toEqual([]);
      expect(DependsOn).toEqual(expect.arrayContaining(needed));
    }
  });
});

/** As in a stack with the longest names that AWS allows, in its region with the longest name. */
function longestDocuments(functions: number): { type: string; text: string }[] {
  const environment = { account: '111122223333', region: 'us-isof-south-1' };
  const name = 'N'.repeat(128);
  const stack = new Stack(newApp(), 'Stack', { stackName: name, env: environment });
  const resources = Array.from({ length: functions }, (_, index) => {
    const properties = { code: { zipFile: 'x' }, role: 'role' };
    return `${new lambda.CfnFunction(stack, `Function${index}`, properties).attrArn}:*`;
  });
  const role = new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
  const actions = ['lambda:InvokeFunction'];
  attachOwnPolicy(role, 'Calls', [new iam.PolicyStatement({ actions, resources })]);
  const template = new LocalTemplate({ name, environment, template: Template.fromStack(stack).toJSON() });
  return ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].flatMap((type) =>
    template.resourcesOfType(type).map((policy) => {
      const document = JSON.stringify(template.property(policy, 'PolicyDocument'));
      return { type, text: document.replaceAll('arn:aws:', 'arn:aws-iso-f:') };
    }),
  );
}

test.each([
  [30, ['AWS::IAM::Policy']],
  [31, ['AWS::IAM::ManagedPolicy']],
  [125, Array<string>(3).fill('AWS::IAM::ManagedPolicy')],
])('the calls of %d functions with the longest names fit into %p', (functions, types) => {
  const documents = longestDocuments(functions);
  expect(documents.map(({ type }) => type)).toEqual(types);
  // A role has the policies of two deployments for a while.
  const limit = types[0] === 'AWS::IAM::Policy' ? 10_240 / 2 : 6_144;
  for (const { text } of documents) expect(text.length).toBeLessThanOrEqual(limit);
  const arns = documents.flatMap(({ text }) => text.match(/function:[^"]{64}:\*/g) ?? []);
  expect(new Set(arns).size).toBe(functions);
});

test('statements that are too long for one policy are split among few, and lose nothing', () => {
  const ofBucket = (key: string): string => `arn:aws:s3:::bucket/${key}`;
  const keys = Array.from({ length: 250 }, (_, index) => ofBucket(`runs/*/${'x'.repeat(60)}-${index}`));
  const stack = newStack();
  const role = new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
  attachPolicies(
    role,
    'Policy',
    [role],
    [
      new iam.PolicyStatement({ actions: ['s3:PutObject'], resources: [ofBucket('a')] }),
      new iam.PolicyStatement({ actions: ['s3:GetObject'], resources: keys }),
    ],
  );
  const resources = resourcesIn(stack);
  const documents = policiesOf(resources).map((id) => resources[id].Properties.PolicyDocument);
  for (const document of documents) expect(JSON.stringify(document).length).toBeLessThanOrEqual(6_144);
  expect(documents.length).toBeLessThanOrEqual(Math.ceil(JSON.stringify(keys).length / 4_000));
  const listed = documents.flatMap((document) => document?.Statement ?? []).flatMap(({ Resource: of }) => of);
  expect(listed.sort()).toEqual([ofBucket('a'), ...keys].sort());
});
