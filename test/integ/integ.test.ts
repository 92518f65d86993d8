/**
 * Asks deployed pipelines and the same ones in the local cloud the same. `npm run integ` deploys them on AWS before. Without it, another local
 * cloud stands for AWS, so that the comparison itself is tested.
 */
import * as fs from 'node:fs';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { start } from '../support/deployed-pipeline';
import { documentNamed } from '../support/documents';
import { mlp, saveModel } from '../support/model-builder';
import { ARN_OUTPUT, STACKS, synthesize } from './app';
import { reach, reachLocal, type Deployment } from './deployment';
import { DENIED, REQUESTS } from './scenarios';

type Outputs = Readonly<Partial<Record<string, Readonly<Record<string, string>>>>>;

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
}

const { INTEG_ASSEMBLY, INTEG_OUTPUTS } = process.env;
const assembly = INTEG_ASSEMBLY ?? synthesize(saveModel(mlp(3))).directory;

async function deployed(pipeline: string): Promise<Deployment> {
  if (INTEG_OUTPUTS === undefined) return reachLocal(await start(assembly, { pipeline }));
  const outputs = JSON.parse(fs.readFileSync(INTEG_OUTPUTS, 'utf8')) as Outputs;
  return reach({ stateMachineArn: outputs[pipeline]?.[ARN_OUTPUT] ?? `the stack ${pipeline} is missing` });
}

/** Actions by the commands of the SDK: `states:StartExecution` by `StartExecutionCommand`. */
const called = new Set<string>();

beforeAll(() => {
  for (const [service, { prototype }] of Object.entries({ states: SFNClient, s3: S3Client })) {
    // The SDK's own function, which must keep its client as `this`.
    const send = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(prototype), 'send')
      ?.value as () => unknown;
    const spy = jest.spyOn(prototype as SFNClient, 'send');
    spy.mockImplementation(function (this: unknown, ...args: unknown[]) {
      const [command] = args as [object];
      called.add(`${service}:${command.constructor.name.replace(/Command$/, '')}`);
      return Reflect.apply(send, this, args) as never;
    });
  }
});

describe.each(Object.entries(STACKS))('the pipeline %s', (subject, stack) => {
  let both: Deployment[];
  beforeAll(async () => {
    both = [await deployed(stack), await reachLocal(await start(assembly, { pipeline: stack }))];
  });

  it('is the same deployment in both', () => {
    // The digest names the model, the code and the settings that computed a result.
    const [onAws, here] = both.map(({ description }) => description.signature.deploymentDigest);
    expect(onAws).toBe(here);
  });

  it.each(subject === 'denied' ? DENIED : REQUESTS)('$claim', async ({ ask, expects }) => {
    const [answer, here] = await Promise.all(both.map(ask));
    // Two clouds that fail alike confirm nothing.
    expect(here).toMatchObject(expects);
    expect(answer).toEqual(here);
  });
});

describe('the role of the workflow, as the guide to operations prints it,', () => {
  const guide = documentNamed('docs/operations.md').codeBlocks('json');
  const { text = '{}' } = guide.find(({ attributes }) => attributes.file === 'permissions.json') ?? {};
  const { Statement: permissions } = JSON.parse(text) as { readonly Statement: readonly Statement[] };

  it('may call exactly what the comparison has called, besides the roles of `cdk bootstrap`', () => {
    const allowed = permissions.flatMap(({ Action }) => Action).filter((name) => name !== 'sts:AssumeRole');
    expect([...allowed].sort()).toEqual([...called].sort());
  });

  it('names the state machines by their logical ids, and the buckets by their stacks', () => {
    const resources = permissions.flatMap(({ Resource }) => Resource).join(' ');
    const machines = resources.match(/(?<=:(stateMachine|execution):)\w+/g);
    expect(machines).toEqual(['PipelineStateMachine', 'PipelineStateMachine']);
    const buckets = resources.match(/(?<=:s3:::)\w+/g) ?? [];
    for (const stack of Object.values(STACKS)) {
      const template = fs.readFileSync(`${assembly}/${stack}.template.json`, 'utf8');
      expect(template).toMatch(/"PipelineStateMachine[0-9A-F]{8}": \{/);
      for (const bucket of buckets) expect(stack.toLowerCase().startsWith(bucket)).toBe(true);
    }
  });
});
