/** The findings of cdk-nag's AwsSolutions, NIST and HIPAA packs that remain, each with the reason. The lists are exact. */
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
  "The run is a part of the key and is not known at deployment. The permission covers one slice's object of each run, " +
  "below runs/ in the pipeline's own bucket, where objects expire after a day.";

const VERSIONS =
  'A run that is in progress during a deployment keeps calling the version that it started with. All versions of the ' +
  "function contain this pipeline's own code, and only a deployment of it publishes them.";

/** By the path of a resource below the pipeline: findings, and why they remain. */
const ACKNOWLEDGED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'Bucket/Resource': {
    S1:
      'Objects are in transit and expire within seven days. Only the roles of this stack and the principals of grantInvoke ' +
      'read and write them. Users who must log accesses pass their own bucket with access logs.',
  },
  'slice-00/Role/Policy/Resource': {
    'IAM5[Resource::<BUCKET.Arn>/inputs/*]':
      'Callers choose the keys of their requests. The permission is to read below inputs/, and only slices that read requests have it.',
    'IAM5[Resource::<BUCKET.Arn>/runs/*/slice-00.safetensors]': ONE_SLICE,
  },
  'slice-01/Role/Policy/Resource': {
    'IAM5[Resource::<BUCKET.Arn>/runs/*/slice-00.safetensors]': ONE_SLICE,
    'IAM5[Resource::<BUCKET.Arn>/runs/*/slice-01.safetensors]': ONE_SLICE,
  },
  'slice-02/Role/Policy/Resource': {
    'IAM5[Resource::<BUCKET.Arn>/runs/*/slice-01.safetensors]': ONE_SLICE,
    'IAM5[Resource::<BUCKET.Arn>/outputs/*.safetensors]':
      'The key of a result contains the run. Only the last slice writes results, and it reads one only if an earlier ' +
      'attempt of the same run wrote it.',
  },
  'Role/Calls/Resource': {
    'IAM5[Resource::<SLICE0.Arn>:*]': VERSIONS,
    'IAM5[Resource::<SLICE1.Arn>:*]': VERSIONS,
    'IAM5[Resource::<SLICE2.Arn>:*]': VERSIONS,
  },
  'Role/DefaultPolicy/Resource': {
    'IAM5[Resource::*]':
      'The log delivery actions of Step Functions and the actions of X-Ray support no resource-level permissions: ' +
      'https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy and ' +
      'https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html',
  },
  'StateMachine/Resource': {
    SF1:
      'Errors are logged, X-Ray traces every task, and the output of an execution has the timings of all slices. ' +
      'Level ALL would add only an event for every state of every request.',
  },
};

/** Returns an app whose stack `Stack` has the pipeline `Pipeline`. */
function appWith(stateMachineType: sfn.StateMachineType): { readonly app: App; readonly stack: Stack } {
  const app = newApp({ '@aws-cdk/core:validateAgainstDefaultRules': true });
  const stack = new Stack(app, 'Stack');
  addPipeline(stack, 'Pipeline', { slicing: Slicing.count(3), stateMachineType });
  return { app, stack };
}

/** Returns the list above with the logical ids of the stack. */
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
  test('AwsSolutions finds only what the list has a reason for', () => {
    const { stack } = appWith(stateMachineType);
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

const IN_TRANSIT =
  'Requests, intermediate tensors and results are in transit and can be computed again. They expire within seven days. ' +
  'Copies and old versions of them would keep data for longer than needed.';

/** By rule, without the name of the pack: why its findings remain. */
const REASONS: Readonly<Record<string, string>> = {
  S3BucketReplicationEnabled: IN_TRANSIT,
  S3BucketVersioningEnabled: IN_TRANSIT,
  S3BucketLoggingEnabled:
    'Only the roles of this stack and the principals of grantInvoke read and write objects. Users who must log accesses ' +
    'pass their own bucket with access logs.',
  IAMNoInlinePolicy:
    'Each policy belongs to one role and is deleted with it. Managed policies would be additional resources, and a ' +
    'pipeline with many slices would not fit into a stack.',
  LambdaDLQ:
    'The state machine calls the functions synchronously, and retries and reports failures. A dead-letter queue receives ' +
    'only asynchronous calls.',
};

describe.each([
  ['NIST.800.53.R5', () => new NIST80053R5Checks()],
  ['HIPAA.Security', () => new HIPAASecurityChecks()],
] as const)('%s with the props of a hardened account', (pack, checks) => {
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

  test('finds only what the list has a reason for', () => {
    const rules = new Set(own(hardened().stack).map(({ id }) => id.replace(`${pack}-`, '')));
    expect([...rules].sort()).toEqual(Object.keys(REASONS).sort());
  });

  test('finds nothing if the findings are acknowledged on their resources', () => {
    const { stack } = hardened();
    for (const { path, id, reason } of own(stack)) {
      Validations.of(find(stack, path)).acknowledge({ id, reason });
    }
    expect(own(stack)).toEqual([]);
  });
});

test('the shared policy of functions in a VPC has one more finding: the wildcard resource that Lambda requires', () => {
  const { stack } = hardened();
  const more = findings(stack).filter(
    (finding) => finding.includes('SlicePolicy') && finding.endsWith('[Resource::*]'),
  );
  expect(more).toEqual(['SlicePolicy/Resource: AwsSolutions-IAM5[Resource::*]']);
});
