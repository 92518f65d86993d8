/** What a deployment adds and removes when the model or a key of a stack changes. */
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { type SlicedInferencePipelineProps, Slicing } from '../../../lib';
import { attachOwnPolicy, attachPolicies } from '../../../lib/aws/replaced-policy';
import { Template as LocalTemplate } from '../../../local/cloudformation/template';
import { mlp, saveModel } from '../../support/model-builder';
import { addPipeline, newApp, newStack } from '../../support/pipeline-stack';

interface Resource {
  readonly Type: string;
  readonly DependsOn?: readonly string[];
  readonly Properties: {
    readonly PolicyName?: string;
    readonly Role?: { readonly 'Fn::GetAtt': readonly [string, string] };
    readonly RoleArn?: { readonly 'Fn::GetAtt': readonly [string, string] };
    readonly Roles?: readonly { readonly Ref: string }[];
    readonly ManagedPolicyArns?: unknown;
    readonly ManagedPolicyName?: string;
    readonly PolicyDocument?: { readonly Statement: readonly { readonly Resource: unknown }[] };
  };
}

type Resources = Readonly<Record<string, Resource>>;

function resourcesOf(
  layers: number,
  slices: number,
  more: (stack: Stack) => Partial<SlicedInferencePipelineProps> = () => ({}),
): Resources {
  const stack = newStack();
  const modelPath = saveModel(mlp(layers));
  addPipeline(stack, 'Pipeline', {
    modelPath,
    dimensions: { batch: 1 },
    slicing: Slicing.count(slices),
    ...more(stack),
  });
  return (Template.fromStack(stack).toJSON() as { Resources: Resources }).Resources;
}

/** Without the policy of the state machine that CDK adds and never replaces. */
function policiesOf(resources: Resources): string[] {
  const isPolicy = (id: string): boolean => /^AWS::IAM::(Managed)?Policy$/.test(resources[id].Type);
  return Object.keys(resources).filter((id) => isPolicy(id) && !id.includes('DefaultPolicy'));
}

function rolesOf(resources: Resources, policy: string): string[] {
  return (resources[policy].Properties.Roles ?? []).map(({ Ref }) => Ref);
}

describe('the policies of a pipeline', () => {
  const four = resourcesOf(4, 4);

  it('are an inline one for each slice and the state machine, and a managed one that all slices share', () => {
    expect(policiesOf(four).map((id) => [four[id].Type, rolesOf(four, id).length])).toEqual([
      ...Array<unknown>(4).fill(['AWS::IAM::Policy', 1]),
      ['AWS::IAM::ManagedPolicy', 4],
      ['AWS::IAM::Policy', 1],
    ]);
  });

  it('keep their logical ids if nothing changes', () => {
    expect(policiesOf(resourcesOf(4, 4))).toEqual(policiesOf(four));
  });

  it('are added beside the earlier ones if another model has fewer slices', () => {
    const two = resourcesOf(5, 2);
    // All slices may still write logs, but the list of roles of this policy is shorter.
    const own = policiesOf(two).filter((id) => !id.includes('SlicePolicy'));
    expect(own).toHaveLength(3);
    expect(own.filter((id) => policiesOf(four).includes(id))).toEqual([]);
    // The roles are the same, so that both policies are attached while the deployment is in progress.
    const roles = policiesOf(four).flatMap((id) => rolesOf(four, id));
    expect(own.flatMap((id) => rolesOf(two, id)).filter((role) => !roles.includes(role))).toEqual([]);
  });

  it('are added beside the earlier ones if a key changes that all slices use', () => {
    const keyed = resourcesOf(4, 4, (stack) => ({ assetEncryptionKey: new kms.Key(stack, 'AssetKey') }));
    const added = policiesOf(keyed).filter((id) => !policiesOf(four).includes(id));
    expect(added).toEqual([expect.stringMatching(/SlicePolicy/)]);
    expect(rolesOf(keyed, added[0])).toHaveLength(4);
  });

  it('name their roles, which a role that named its policies would detach as soon as it is updated', () => {
    const roles = Object.values(four).filter(({ Type }) => Type === 'AWS::IAM::Role');
    expect(roles.map(({ Properties }) => Properties.ManagedPolicyArns)).toEqual(roles.map(() => undefined));
    // An inline policy of the same name would overwrite the earlier one.
    for (const id of policiesOf(four)) {
      const { ManagedPolicyName: managed, PolicyName: inline = id } = four[id].Properties;
      expect([managed, inline]).toEqual([undefined, id]);
    }
  });

  it('are in place before what uses their roles changes', () => {
    const users = Object.values(four).flatMap(({ Type, DependsOn = [], Properties: { Role, RoleArn } }) => {
      const isUser = Type === 'AWS::Lambda::Function' || Type === 'AWS::StepFunctions::StateMachine';
      return isUser ? [{ role: (Role ?? RoleArn)?.['Fn::GetAtt'][0] ?? '', DependsOn }] : [];
    });
    expect(users).toHaveLength(5);
    for (const { role, DependsOn } of users) {
      const needed = policiesOf(four).filter((id) => rolesOf(four, id).includes(role));
      expect(needed).not.toEqual([]);
      expect(DependsOn).toEqual(expect.arrayContaining(needed));
    }
  });
});

/** As in a stack with the longest names that AWS allows, in its region with the longest name. */
function longestDocuments(add: (stack: Stack) => void): Map<string, string> {
  const environment = { account: '111122223333', region: 'us-isof-south-1' };
  const name = 'N'.repeat(128);
  const stack = new Stack(newApp(), 'Stack', { stackName: name, env: environment });
  add(stack);
  const template = new LocalTemplate({ name, environment, template: Template.fromStack(stack).toJSON() });
  return new Map(
    ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].flatMap((type) =>
      template.resourcesOfType(type).map((policy): [string, string] => {
        const document = JSON.stringify(template.property(policy, 'PolicyDocument'));
        return [`${type} ${policy.logicalId}`, document.replaceAll('arn:aws:', 'arn:aws-iso-f:')];
      }),
    ),
  );
}

describe('the calls of many functions with the longest names', () => {
  const documentsOf = (functions: number): Map<string, string> =>
    longestDocuments((stack) => {
      const arns = Array.from({ length: functions }, (_, index) => {
        const properties = { code: { zipFile: 'x' }, role: 'role' };
        return new lambda.CfnFunction(stack, `Function${index}`, properties).attrArn;
      });
      const role = new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
      const resources = arns.map((arn) => `${arn}:*`);
      const calls = new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources });
      attachOwnPolicy(role, 'Calls', [calls]);
    });

  it.each([
    [30, ['AWS::IAM::Policy']],
    [31, ['AWS::IAM::ManagedPolicy']],
    [60, Array<string>(2).fill('AWS::IAM::ManagedPolicy')],
    [125, Array<string>(3).fill('AWS::IAM::ManagedPolicy')],
  ])('of %d functions fit into %p', (functions, types) => {
    const documents = documentsOf(functions);
    expect([...documents.keys()].map((key) => key.split(' ')[0])).toEqual(types);
    const texts = [...documents.values()];
    // A role has the policies of two deployments for a while.
    const limit = types[0] === 'AWS::IAM::Policy' ? 10_240 / 2 : 6_144;
    for (const text of texts) expect(text.length).toBeLessThanOrEqual(limit);
    const arns = texts.flatMap((text) => text.match(/function:[^"]{64}:\*/g) ?? []);
    expect(new Set(arns).size).toBe(functions);
  });
});

describe('statements that are too long for one policy', () => {
  const arns = Array.from(
    { length: 250 },
    (_, index) => `arn:aws:s3:::bucket/runs/*/${'x'.repeat(60)}-${index}`,
  );

  it('are split among as few policies as their limit allows, and lose nothing', () => {
    const stack = newStack();
    const role = new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
    const read = new iam.PolicyStatement({ actions: ['s3:GetObject'], resources: arns });
    const write = new iam.PolicyStatement({
      actions: ['s3:PutObject'],
      resources: ['arn:aws:s3:::bucket/a'],
    });
    attachPolicies(role, 'Policy', [role], [write, read]);
    const { Resources } = Template.fromStack(stack).toJSON() as { Resources: Resources };
    const documents = policiesOf(Resources).map((id) => Resources[id].Properties.PolicyDocument);
    for (const document of documents) expect(JSON.stringify(document).length).toBeLessThanOrEqual(6_144);
    const total = JSON.stringify(arns).length;
    expect(documents.length).toBeLessThanOrEqual(Math.ceil(total / 4_000));
    const listed = documents
      .flatMap((document) => document?.Statement ?? [])
      .flatMap(({ Resource: of }) => of);
    expect(listed.sort()).toEqual(['arn:aws:s3:::bucket/a', ...arns].sort());
  });
});
