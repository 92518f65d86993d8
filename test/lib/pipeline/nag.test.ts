/** The findings of cdk-nag's AwsSolutions, NIST and HIPAA packs that remain. The lists are exact. */
import { type App, CfnResource, Stack, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import { Slicing } from '../../../lib';
import { HARDENED_REASONS, nagFindings, reasonFor } from '../../support/nag-findings';
import { addPipeline, newApp } from '../../support/pipeline-stack';

/** By the path of a resource below the pipeline: its findings. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  'Bucket/Resource': ['S1'],
  'slice-00/Role/Policy/Resource': [
    'IAM5[Resource::<BUCKET.Arn>/inputs/*]',
    'IAM5[Resource::<BUCKET.Arn>/runs/*/slice-00.safetensors]',
  ],
  'slice-01/Role/Policy/Resource': [
    'IAM5[Resource::<BUCKET.Arn>/runs/*/slice-00.safetensors]',
    'IAM5[Resource::<BUCKET.Arn>/runs/*/slice-01.safetensors]',
  ],
  'slice-02/Role/Policy/Resource': [
    'IAM5[Resource::<BUCKET.Arn>/runs/*/slice-01.safetensors]',
    'IAM5[Resource::<BUCKET.Arn>/outputs/*.safetensors]',
  ],
  'Role/Calls/Resource': [
    'IAM5[Resource::<SLICE0.Arn>:*]',
    'IAM5[Resource::<SLICE1.Arn>:*]',
    'IAM5[Resource::<SLICE2.Arn>:*]',
  ],
  'Role/DefaultPolicy/Resource': ['IAM5[Resource::*]'],
  'SlicePolicy/Resource': ['IAM5[Resource::*]'],
  'StateMachine/Resource': ['SF1'],
};

/** Returns an app whose stack `Stack` has the pipeline `Pipeline`. */
function appWith(stateMachineType: sfn.StateMachineType): { readonly app: App; readonly stack: Stack } {
  const app = newApp({ '@aws-cdk/core:validateAgainstDefaultRules': true });
  const stack = new Stack(app, 'Stack');
  addPipeline(stack, 'Pipeline', { slicing: Slicing.count(3), stateMachineType });
  return { app, stack };
}

/** Returns the list above with the logical ids of the stack, and the reasons. */
function acknowledgements(stack: Stack): { path: string; id: string; reason: string }[] {
  const logicalId = (path: string): string => {
    const resource = find(stack, path);
    if (!CfnResource.isCfnResource(resource)) throw new Error(`${path} is no resource`);
    return stack.getLogicalId(resource);
  };
  const ids: Readonly<Record<string, string>> = {
    BUCKET: logicalId('Bucket/Resource'),
    SLICE0: logicalId('slice-00/Function/Resource'),
    SLICE1: logicalId('slice-01/Function/Resource'),
    SLICE2: logicalId('slice-02/Function/Resource'),
  };
  return Object.entries(EXPECTED).flatMap(([path, rules]) =>
    rules.map((rule) => ({
      path,
      id: `AwsSolutions-${rule.replace(/<(\w+)\.Arn>/, (_, name: string) => `<${ids[name]}.Arn>`)}`,
      reason: reasonFor(path, rule) ?? '',
    })),
  );
}

function find(stack: Stack, path: string): IConstruct {
  const ids = `Pipeline/${path}`.split('/');
  return ids.reduce<IConstruct>((construct, id) => construct.node.findChild(id), stack);
}

function findings(stack: Stack): string[] {
  return nagFindings(new AwsSolutionsChecks(), stack)
    .map(({ path, rule }) => `${path.replace('Stack/Pipeline/', '')}: ${rule}`)
    .sort();
}

describe.each([
  ['an Express', sfn.StateMachineType.EXPRESS],
  ['a Standard', sfn.StateMachineType.STANDARD],
])('with %s state machine', (_, stateMachineType) => {
  test('AwsSolutions finds only what the list has a reason for', () => {
    const { stack } = appWith(stateMachineType);
    expect(acknowledgements(stack).filter(({ reason }) => reason === '')).toEqual([]);
    expect(findings(stack)).toEqual(
      acknowledgements(stack)
        .map(({ path, id }) => `${path}: ${id}`)
        .sort(),
    );
  });

  test('the synthesis succeeds if the findings are acknowledged on their resources', () => {
    const { app, stack } = appWith(stateMachineType);
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    for (const { path, id, reason } of acknowledgements(stack)) {
      Validations.of(find(stack, path)).acknowledge({ id, reason });
    }
    delete process.env.CDK_VALIDATION;
    expect(() => app.synth()).not.toThrow();
  });
});

test('the synthesis fails if the findings are not acknowledged', () => {
  const { app } = appWith(sfn.StateMachineType.EXPRESS);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  delete process.env.CDK_VALIDATION;
  expect(() => app.synth()).toThrow('AwsSolutions-S1');
});

/** Returns a pipeline with every prop that a hardened account requires. */
function hardened(): { readonly app: App; readonly stack: Stack } {
  const app = newApp({ '@aws-cdk/core:validateAgainstDefaultRules': true });
  const stack = new Stack(app, 'Stack');
  const vpc = new ec2.Vpc(stack, 'Vpc', {
    natGateways: 0,
    subnetConfiguration: [{ name: 'isolated', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }],
    gatewayEndpoints: { S3: { service: ec2.GatewayVpcEndpointAwsService.S3 } },
  });
  const key = new kms.Key(stack, 'Key', { enableKeyRotation: true });
  addPipeline(stack, 'Pipeline', {
    slicing: Slicing.count(2),
    encryptionKey: key,
    logEncryptionKey: key,
    vpc,
    vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
    sliceFunctions: { reservedConcurrentExecutions: 20 },
  });
  return { app, stack };
}

describe.each([
  ['NIST.800.53.R5', () => new NIST80053R5Checks()],
  ['HIPAA.Security', () => new HIPAASecurityChecks()],
] as const)('%s with the props of a hardened account', (pack, checks) => {
  const own = (stack: Stack): { path: string; id: string; reason: string }[] =>
    nagFindings(checks(), stack)
      .filter(({ path }) => path.startsWith('Stack/Pipeline/'))
      .map(({ path, rule }) => ({
        path: path.replace('Stack/Pipeline/', ''),
        id: rule,
        reason: HARDENED_REASONS[rule.replace(`${pack}-`, '')] ?? '',
      }));

  test('finds only what the list has a reason for', () => {
    const rules = new Set(own(hardened().stack).map(({ id }) => id.replace(`${pack}-`, '')));
    expect([...rules].sort()).toEqual(Object.keys(HARDENED_REASONS).sort());
  });

  test('finds nothing if the findings are acknowledged on their resources', () => {
    const { stack } = hardened();
    for (const { path, id, reason } of own(stack)) {
      Validations.of(find(stack, path)).acknowledge({ id, reason });
    }
    expect(own(stack)).toEqual([]);
  });
});

test('the shared policy of functions in a VPC has no further finding than that of the wildcard resource', () => {
  const { stack } = hardened();
  const more = findings(stack).filter(
    (finding) => finding.includes('SlicePolicy') && finding.endsWith('[Resource::*]'),
  );
  expect(more).toEqual(['SlicePolicy/Resource: AwsSolutions-IAM5[Resource::*]']);
});
