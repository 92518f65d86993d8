/** The role of the workflow, as the guide to operations prints it, against what the comparison calls in the local cloud. */
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { start } from '../support/deployed-pipeline';
import { documentNamed } from '../support/documents';
import { mlp, saveModel } from '../support/model-builder';
import { STACKS, synthesize } from './app';
import { reachLocal } from './deployment';
import { DENIED, REQUESTS } from './scenarios';

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
}

const { text = '{}' } =
  documentNamed('docs/operations.md')
    .codeBlocks('json')
    .find(({ attributes }) => attributes.file === 'permissions.json') ?? {};
const { Statement: permissions } = JSON.parse(text) as { readonly Statement: readonly Statement[] };

const assembly = synthesize(saveModel(mlp(3)));

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
    const deployment = await reachLocal(await start(assembly.directory, { pipeline }));
    for (const { ask, expects } of subject === 'denied' ? DENIED : REQUESTS)
      expect(await ask(deployment)).toMatchObject({ status: expects.status });
  }
  jest.restoreAllMocks();
  const allowed = permissions.flatMap(({ Action }) => Action).filter((action) => action !== 'sts:AssumeRole');
  expect([...allowed].sort()).toEqual([...called].sort());
});

it('names the state machines by their logical ids, and the buckets by their stacks', () => {
  const resources = permissions.flatMap(({ Resource }) => Resource).join(' ');
  const machines = resources.match(/(?<=:(stateMachine|execution):)\w+/g);
  const buckets = resources.match(/(?<=:s3:::)\w+/g);
  expect(machines).toEqual(['PipelineStateMachine', 'PipelineStateMachine']);
  for (const { stackName, template } of assembly.stacks) {
    expect(Object.keys((template as { Resources: object }).Resources)).toContainEqual(
      expect.stringMatching(/^PipelineStateMachine/),
    );
    for (const bucket of buckets ?? []) expect(stackName.toLowerCase().startsWith(bucket)).toBe(true);
  }
});
