/** The findings of cdk-nag's AwsSolutions, NIST and HIPAA packs that stay, each with the reason why. One more or one less fails. */
import type { App } from 'aws-cdk-lib';
import { CfnResource, Stack, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import { Slicing } from '../../../lib';
import { addPipeline, newApp } from '../../support/pipeline-stack';

const ONE_SLICE =
  "The run is a part of the key that nobody knows beforehand. The right covers one slice's object of each run, below " +
  "runs/ in the pipeline's own bucket, where objects expire after a day.";

const VERSIONS =
  'A run that a deployment overtakes goes on calling the version that it began with. All versions of the function are ' +
  "this pipeline's own code, made by nobody but a deployment of it.";

/** By the path of a resource below the pipeline: findings and the reason to keep them. */
const ACKNOWLEDGED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'Bucket/Resource': {
    S1:
      'Objects are in transit and expire within seven days; who reads and writes them are the roles of this stack and ' +
      'those that grantInvoke names. Whoever must log accesses passes a bucket of their own that does.',
  },
  'slice-00/Role/Resource': {
    'IAM5[Resource::<BUCKET.Arn>/inputs/*]':
      'Callers name their requests. The right is to read below inputs/ alone, and only slices that read requests have it.',
    'IAM5[Resource::<BUCKET.Arn>/runs/*/slice-00.safetensors]': ONE_SLICE,
  },
  'slice-01/Role/Resource': {
    'IAM5[Resource::<BUCKET.Arn>/runs/*/slice-00.safetensors]': ONE_SLICE,
    'IAM5[Resource::<BUCKET.Arn>/runs/*/slice-01.safetensors]': ONE_SLICE,
  },
  'slice-02/Role/Resource': {
    'IAM5[Resource::<BUCKET.Arn>/runs/*/slice-01.safetensors]': ONE_SLICE,
    'IAM5[Resource::<BUCKET.Arn>/outputs/*.safetensors]':
      'The run is the name of its result. The last slice alone writes results, and reads one only when an earlier ' +
      'attempt of the same run wrote it.',
  },
  'Role/DefaultPolicy/Resource': {
    'IAM5[Resource::<SLICE0.Arn>:*]': VERSIONS,
    'IAM5[Resource::<SLICE1.Arn>:*]': VERSIONS,
    'IAM5[Resource::<SLICE2.Arn>:*]': VERSIONS,
    'IAM5[Resource::*]':
      'The log delivery actions of Step Functions and the actions of X-Ray support no resource-level rights: ' +
      'https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy and ' +
      'https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html',
  },
  'StateMachine/Resource': {
    SF1:
      'Errors are logged, X-Ray traces every task, and the output of an execution has the timings of all slices. ' +
      'Level ALL would write an event for every state of every request and add nothing to these.',
  },
};

/** An app whose stack `Stack` has the pipeline `Pipeline`. */
function appWith(stateMachineType: sfn.StateMachineType): { readonly app: App; readonly stack: Stack } {
  const app = newApp({ '@aws-cdk/core:validateAgainstDefaultRules': true });
  const stack = new Stack(app, 'Stack');
  addPipeline(stack, 'Pipeline', { slicing: Slicing.count(3), stateMachineType });
  return { app, stack };
}

/** The list above with the logical ids of the stack, as `path: rule`. */
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
  return Object.entries(ACKNOWLEDGED).flatMap(([path, rules]) =>
    Object.entries(rules).map(([rule, reason]) => ({
      path,
      id: `AwsSolutions-${rule.replace(/<(\w+)\.Arn>/, (_, name: string) => `<${ids[name]}.Arn>`)}`,
      reason,
    })),
  );
}

function find(stack: Stack, path: string): IConstruct {
  const ids = `Pipeline/${path}`.split('/');
  return ids.reduce<IConstruct>((construct, id) => construct.node.findChild(id), stack);
}

function findings(stack: Stack): string[] {
  const { violations } = new AwsSolutionsChecks().validateScope(stack);
  return violations
    .flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(
        ({ constructPath = '' }) => `${constructPath.replace('Stack/Pipeline/', '')}: ${ruleName}`,
      ),
    )
    .sort();
}

describe.each([
  ['an Express', sfn.StateMachineType.EXPRESS],
  ['a Standard', sfn.StateMachineType.STANDARD],
])('with %s state machine', (_, stateMachineType) => {
  test('the findings are those that have a reason to stay', () => {
    const { stack } = appWith(stateMachineType);
    expect(findings(stack)).toEqual(
      acknowledgements(stack)
        .map(({ path, id }) => `${path}: ${id}`)
        .sort(),
    );
  });

  test('acknowledged on their resources, they let the synthesis pass', () => {
    const { app, stack } = appWith(stateMachineType);
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    for (const { path, id, reason } of acknowledgements(stack)) {
      Validations.of(find(stack, path)).acknowledge({ id, reason });
    }
    delete process.env.CDK_VALIDATION;
    expect(() => app.synth()).not.toThrow();
  });
});

test('without acknowledgements the synthesis fails', () => {
  const { app } = appWith(sfn.StateMachineType.EXPRESS);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  delete process.env.CDK_VALIDATION;
  expect(() => app.synth()).toThrow('AwsSolutions-S1');
});

/** A pipeline with all that a hardened account asks for and that is a prop. */
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

const IN_TRANSIT =
  'Requests, intermediate tensors and results are in transit and can be computed again; they expire within seven days. ' +
  'Copies and old versions of them would keep data for longer than it is needed.';

/** By rule, without the name of the pack: why its findings stay. */
const REASONS: Readonly<Record<string, string>> = {
  S3BucketReplicationEnabled: IN_TRANSIT,
  S3BucketVersioningEnabled: IN_TRANSIT,
  S3BucketLoggingEnabled:
    'Who reads and writes are the roles of this stack and those that grantInvoke names. Whoever must log accesses ' +
    'passes a bucket of their own that does.',
  IAMNoInlinePolicy:
    'Each policy is of one role and is for nobody else, and leaves with it. The resources that managed policies would ' +
    'be are what keeps pipelines of many slices from fitting a stack.',
  LambdaDLQ:
    'The functions are called synchronously by the state machine, which retries and reports failures. A dead-letter ' +
    'queue gets asynchronous calls alone.',
};

describe.each([
  ['NIST.800.53.R5', () => new NIST80053R5Checks()],
  ['HIPAA.Security', () => new HIPAASecurityChecks()],
] as const)('%s, with all that is a prop', (pack, checks) => {
  const own = (stack: Stack): { path: string; id: string; reason: string }[] =>
    checks()
      .validateScope(stack)
      .violations.flatMap(({ ruleName, violatingResources }) =>
        violatingResources.map(({ constructPath = '' }) => ({ path: constructPath, id: ruleName })),
      )
      .filter(({ path }) => path.startsWith('Stack/Pipeline/'))
      .map(({ path, id }) => ({
        path: path.replace('Stack/Pipeline/', ''),
        id,
        reason: REASONS[id.replace(`${pack}-`, '')],
      }));

  test('the findings are those that have a reason to stay', () => {
    const rules = new Set(own(hardened().stack).map(({ id }) => id.replace(`${pack}-`, '')));
    expect([...rules].sort()).toEqual(Object.keys(REASONS).sort());
  });

  test('acknowledged on their resources, none is left', () => {
    const { stack } = hardened();
    for (const { path, id, reason } of own(stack)) {
      Validations.of(find(stack, path)).acknowledge({ id, reason });
    }
    expect(own(stack)).toEqual([]);
  });
});

test('in a VPC, the one wildcard more is what Lambda asks for, and is taken from the code', () => {
  const { stack } = hardened();
  const more = findings(stack).filter(
    (finding) => finding.includes('slice-00/Role') && finding.endsWith('[Resource::*]'),
  );
  expect(more).toEqual(['slice-00/Role/Resource: AwsSolutions-IAM5[Resource::*]']);
});
