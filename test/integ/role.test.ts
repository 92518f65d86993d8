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

const { app, stacks } = buildApp({
  modelPath: saveModel(mlp(3)),
  architecture: ARCHITECTURE,
  outdir: path.join(temporaryFolder(), 'cdk.out'),
});
const assembly = app.synth();

/** Notes the actions by the commands of the SDK: `states:StartExecution` by `StartExecutionCommand`. */
function noteCalls(called: Set<string>): void {
  const clients = { states: SFNClient, s3: S3Client };
  for (const [service, { prototype }] of Object.entries(clients)) {
    // The SDK's own function, which must keep its client as `this`.
    const send = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(prototype), 'send')
      ?.value as () => unknown;
    jest.spyOn(prototype as SFNClient, 'send').mockImplementation(function (
      this: unknown,
      ...args: unknown[]
    ) {
      const [command] = args as [object];
      called.add(`${service}:${command.constructor.name.replace(/Command$/, '')}`);
      return Reflect.apply(send, this, args) as never;
    });
  }
}

it('may call exactly what the comparison calls, besides the roles of `cdk bootstrap`', async () => {
  const called = new Set<string>();
  noteCalls(called);
  for (const [subject, pipeline] of Object.entries(STACKS)) {
    const cloud = await LocalCloud.start(assembly.directory, { pipeline });
    try {
      const { stepFunctions, s3 } = cloud;
      const { stateMachineArn } = cloud.pipeline;
      const deployment = await Deployment.at({ stateMachineArn, stepFunctions, s3 });
      for (const { ask, expects } of subject === 'denied' ? DENIED : REQUESTS)
        expect(await ask(deployment)).toMatchObject({ status: expects.status });
    } finally {
      await cloud.close();
    }
  }
  jest.restoreAllMocks();
  const allowed = permissions.flatMap(({ Action }) => Action).filter((action) => action !== 'sts:AssumeRole');
  expect([...allowed].sort()).toEqual([...called].sort());
});

it('names the state machines by their logical ids, the buckets by their stacks, and the roles that the assembly uses', () => {
  const prefixes = (pattern: RegExp): Set<string> =>
    new Set(resources.flatMap((resource) => pattern.exec(resource)?.slice(1) ?? []));
  const [machine, ...others] = prefixes(/:(?:stateMachine|execution):(\w+)\*$/);
  const [bucket, ...more] = prefixes(/:s3:::(\w+)\*\/(?:inputs|outputs)\/\*$/);
  expect([others, more]).toEqual([[], []]);
  const role = /role\/(cdk-\w+-[a-z-]+-role)/;
  const used = new Set<string | undefined>();
  for (const { stackName } of stacks) {
    expect(stackName.toLowerCase().startsWith(bucket)).toBe(true);
    const artifact = assembly.getStackByName(stackName);
    const { Resources: all } = artifact.template as { Resources: Record<string, { Type: string }> };
    const { assumeRoleArn = '', lookupRole } = artifact;
    const machines = Object.keys(all).filter((id) => all[id].Type === 'AWS::StepFunctions::StateMachine');
    expect(machines).toEqual([expect.stringMatching(new RegExp(`^${machine}`))]);
    for (const arn of [assumeRoleArn, lookupRole?.arn ?? '']) used.add(role.exec(arn)?.[1]);
  }
  expect(used.size).toBe(2);
  expect([...prefixes(role)]).toEqual(expect.arrayContaining([...used]));
});

it('trusts one branch of one repository', () => {
  expect(statementsOf('trust.json').map(({ Condition }) => Condition)).toEqual([
    {
      StringEquals: {
        'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com',
        'token.actions.githubusercontent.com:sub': 'repo:OWNER/REPOSITORY:ref:refs/heads/main',
      },
    },
  ]);
});
