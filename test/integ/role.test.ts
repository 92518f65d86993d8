/** The role of the workflow, as the guide to operations prints it, against what the comparison calls in the local cloud. */
import * as path from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { LocalCloud } from '../../local';
import { ARCHITECTURE } from '../support/deployed-pipeline';
import { documentNamed } from '../support/documents';
import { mlp, saveModel, temporaryFolder } from '../support/model-builder';
import { buildApp, STACKS } from './app';
import { Deployment } from './deployment';
import { DENIED, REQUESTS } from './scenarios';

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

function statementsOf(file: string): readonly Statement[] {
  const block = documentNamed('docs/operations.md')
    .codeBlocks('json')
    .find((each) => each.file === file);
  if (block === undefined) throw new Error(`no block ${file}`);
  return (JSON.parse(block.code) as { Statement: readonly Statement[] }).Statement;
}

const permissions = statementsOf('permissions.json');
const resources = permissions.flatMap(({ Resource }) => Resource);

/** Actions by commands of the SDK: `states:StartExecution` by `StartExecutionCommand`. */
const called = new Set<string>();

beforeAll(() => {
  for (const [service, { prototype }] of [
    ['states', SFNClient],
    ['s3', S3Client],
  ] as const) {
    // The SDK's own function, which must keep its client as `this`.
    const send = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(prototype), 'send')
      ?.value as () => unknown;
    jest.spyOn(prototype, 'send').mockImplementation(function (this: unknown, ...args: unknown[]) {
      const [command] = args as [object];
      called.add(`${service}:${command.constructor.name.replace(/Command$/, '')}`);
      return Reflect.apply(send, this, args) as never;
    });
  }
});
afterAll(() => jest.restoreAllMocks());

describe('the permissions', () => {
  const { app, stacks } = buildApp({
    modelPath: saveModel(mlp(3)),
    architecture: ARCHITECTURE,
    outdir: path.join(temporaryFolder(), 'cdk.out'),
  });
  const { directory } = app.synth();

  it('have exactly the actions that the comparison calls, besides the roles of `cdk bootstrap`', async () => {
    for (const [stack, scenarios] of [
      [STACKS.express, REQUESTS],
      [STACKS.standard, REQUESTS],
      [STACKS.denied, DENIED],
    ] as const) {
      const cloud = await LocalCloud.start(directory, { pipeline: stack });
      try {
        const { stepFunctions, s3 } = cloud;
        const { stateMachineArn } = cloud.pipeline;
        const deployment = await Deployment.at({ stateMachineArn, stepFunctions, s3 });
        for (const { ask, expects } of scenarios)
          expect(await ask(deployment)).toMatchObject({ status: expects.status });
      } finally {
        await cloud.close();
      }
    }
    const allowed = permissions
      .flatMap(({ Action }) => Action)
      .filter((action) => action !== 'sts:AssumeRole');
    expect([...allowed].sort()).toEqual([...called].sort());
  });

  it('name the state machines by their logical ids, and the buckets by their stacks', () => {
    const prefixes = (pattern: RegExp): string[] =>
      resources.flatMap((resource) => pattern.exec(resource)?.slice(1) ?? []);
    const [machine, ...others] = new Set(prefixes(/:(?:stateMachine|execution):(\w+)\*$/));
    const [bucket, ...more] = new Set(prefixes(/:s3:::(\w+)\*\/(?:inputs|outputs)\/\*$/));
    expect([others, more]).toEqual([[], []]);
    for (const stack of stacks) {
      expect(stack.stackName.toLowerCase().startsWith(bucket)).toBe(true);
      const { Resources: all } = app.synth().getStackByName(stack.stackName).template as {
        Resources: Record<string, { Type: string }>;
      };
      const machines = Object.keys(all).filter((id) => all[id].Type === 'AWS::StepFunctions::StateMachine');
      expect(machines).toHaveLength(1);
      expect(machines[0].startsWith(machine)).toBe(true);
    }
  });

  it('name the roles of `cdk bootstrap` that the assembly uses', () => {
    const roles = stacks.flatMap((stack) => {
      const { assumeRoleArn, lookupRole } = app.synth().getStackByName(stack.stackName);
      return [assumeRoleArn, lookupRole?.arn];
    });
    const named = resources.map((resource) => /role\/(cdk-\w+-[a-z-]+-role)/.exec(resource)?.[1]);
    const used = new Set(roles.map((arn = '') => /role\/(cdk-\w+-[a-z-]+-role)/.exec(arn)?.[1]));
    expect(used.size).toBe(2);
    expect(named).toEqual(expect.arrayContaining([...used]));
  });
});

describe('the trust policy', () => {
  it('is for one branch of one repository', () => {
    const [{ Condition }, ...others] = statementsOf('trust.json');
    expect(others).toEqual([]);
    expect(Condition).toEqual({
      StringEquals: {
        'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com',
        'token.actions.githubusercontent.com:sub': 'repo:OWNER/REPOSITORY:ref:refs/heads/main',
      },
    });
  });
});
