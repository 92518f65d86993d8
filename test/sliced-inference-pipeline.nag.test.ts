/** The findings of cdk-nag's AwsSolutions pack that stay, each with the reason why. One more or one less fails. */
import type { App } from 'aws-cdk-lib';
import { CfnResource, Stack, Validations } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import { Slicing } from '../lib';
import { addPipeline, newApp } from './aws/pipeline-stack';

const ONE_SLICE =
  "The run is a part of the key that nobody knows beforehand. The right covers one slice's object of each run, below " +
  "runs/ in the pipeline's own bucket, where objects expire after a day.";

const VERSIONS =
  "CDK grants the function with its versions and aliases. All of them are this pipeline's own code, made by nobody " +
  'but a deployment of it.';

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
  'StateMachine/Role/DefaultPolicy/Resource': {
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
