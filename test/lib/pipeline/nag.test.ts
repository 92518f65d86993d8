/** The findings of cdk-nag's AwsSolutions, NIST and HIPAA packs that remain. The lists are exact. */
import { type App, type CfnResource, Stack, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import { Slicing, type SlicedInferencePipelineProps } from '../../../lib';
import { HARDENED_REASONS, nagFindings, reasonFor } from '../../support/nag-findings';
import { addPipeline, newApp } from '../../support/pipeline-stack';

const onKey = (resource: string): string => `IAM5[Resource::${resource}]`;
const onBucket = (key: string): string => onKey(`<Bucket.Arn>/${key}`);
const runs = (slice: number): string => onBucket(`runs/*/slice-0${slice}.safetensors`);

/** By the path of a resource below the pipeline: its findings. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  Bucket: ['S1'],
  'slice-00/Role/Policy': [onBucket('inputs/*'), runs(0)],
  'slice-01/Role/Policy': [runs(0), runs(1)],
  'slice-02/Role/Policy': [runs(1), onBucket('outputs/*.safetensors')],
  'Role/Calls': [0, 1, 2].map((slice) => onKey(`<slice-0${slice}/Function.Arn>:*`)),
  'Role/DefaultPolicy': [onKey('*')],
  SlicePolicy: [onKey('*')],
  StateMachine: ['SF1'],
};

function stackWith(build: (stack: Stack) => Partial<SlicedInferencePipelineProps>): Stack {
  const stack = new Stack(newApp({ '@aws-cdk/core:validateAgainstDefaultRules': true }), 'Stack');
  addPipeline(stack, 'Pipeline', build(stack));
  return stack;
}

function find(stack: Stack, path: string): IConstruct {
  const ids = `Pipeline/${path}/Resource`.split('/');
  return ids.reduce<IConstruct>((construct, id) => construct.node.findChild(id), stack);
}

/** The list above with the logical ids of the stack, and the reasons. */
function acknowledgements(stack: Stack): { path: string; id: string; reason: string }[] {
  const logicalId = (path: string): string => stack.getLogicalId(find(stack, path) as CfnResource);
  return Object.entries(EXPECTED).flatMap(([path, rules]) =>
    rules.map((rule) => ({
      path,
      id: `AwsSolutions-${rule.replace(/<(.+)\.Arn>/, (_, name: string) => `<${logicalId(name)}.Arn>`)}`,
      reason: reasonFor(`${path}/Resource`, rule) ?? '',
    })),
  );
}

function findings(pack: Parameters<typeof nagFindings>[0], stack: Stack): string[] {
  return nagFindings(pack, stack)
    .filter(({ path }) => path.startsWith('Stack/Pipeline/'))
    .map(({ path, rule }) => `${path.replace('Stack/Pipeline/', '').replace(/\/Resource$/, '')}: ${rule}`)
    .sort();
}

const slicing = Slicing.count(3);

test.each(Object.values(sfn.StateMachineType))(
  'AwsSolutions finds only what the list has a reason for in a pipeline of type %s',
  (stateMachineType) => {
    const stack = stackWith(() => ({ slicing, stateMachineType }));
    expect(acknowledgements(stack).filter(({ reason }) => reason === '')).toEqual([]);
    const expected = acknowledgements(stack).map(({ path, id }) => `${path}: ${id}`);
    expect(findings(new AwsSolutionsChecks(), stack)).toEqual(expected.sort());
  },
);

test.each([true, false])(
  'the synthesis passes if the findings are acknowledged on their resources: %s',
  (passes) => {
    const stack = stackWith(() => ({ slicing }));
    const app = stack.node.root as App;
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    if (passes)
      for (const { path, id, reason } of acknowledgements(stack))
        Validations.of(find(stack, path)).acknowledge({ id, reason });
    delete process.env.CDK_VALIDATION;
    if (passes) app.synth();
    else expect(() => app.synth()).toThrow('AwsSolutions-S1');
  },
);

test('with the props of a hardened account, NIST and HIPAA find only what the list has a reason for', () => {
  const stack = stackWith((scope) => {
    const key = new kms.Key(scope, 'Key', { enableKeyRotation: true });
    const vpc = new ec2.Vpc(scope, 'Vpc', {
      natGateways: 0,
      subnetConfiguration: [{ name: 'isolated', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }],
      gatewayEndpoints: { S3: { service: ec2.GatewayVpcEndpointAwsService.S3 } },
    });
    return {
      slicing: Slicing.count(2),
      encryptionKey: key,
      logEncryptionKey: key,
      vpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
      sliceFunctions: { reservedConcurrentExecutions: 20 },
    };
  });
  for (const pack of [new NIST80053R5Checks(), new HIPAASecurityChecks()]) {
    const rules = new Set(findings(pack, stack).map((finding) => finding.split('-').at(-1)));
    expect([...rules].sort()).toEqual(Object.keys(HARDENED_REASONS).sort());
  }
  // The permissions for the VPC add no finding to that of the wildcard resource.
  const shared = findings(new AwsSolutionsChecks(), stack).filter((finding) =>
    finding.startsWith('SlicePolicy'),
  );
  expect(shared.filter((finding) => finding.endsWith('[Resource::*]'))).toHaveLength(1);
});
