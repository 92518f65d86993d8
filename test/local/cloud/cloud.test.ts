import * as fs from 'node:fs';
import * as path from 'node:path';
import { CfnRule } from 'aws-cdk-lib/aws-events';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { CfnStateMachine, CfnStateMachineAlias } from 'aws-cdk-lib/aws-stepfunctions';
import type { Access, TraceEvent } from '../../../local';
import { PipelineStack, start, synthesize } from '../../support/pipeline-app';
import { temporaryFolder } from '../../support/temporary-folder';
import { until } from '../../support/until';

const root = temporaryFolder();

const functionOf = ({ slice }: PipelineStack) => slice.node.defaultChild as lambda.CfnFunction;

function pipeline(source: string, change: (stack: PipelineStack) => unknown = () => undefined): string {
  return synthesize((app) => {
    change(new PipelineStack(app, 'Ocr', { source }));
  });
}

/** A handler that reads and writes the bucket with the SDK and the credentials of its function. */
const DOUBLE = `
const { GetObjectCommand, PutObjectCommand, S3Client } = require(${JSON.stringify(require.resolve('@aws-sdk/client-s3'))});
const s3 = new S3Client();
exports.handler = async ({ request, run }) => {
  if (request.fail) throw Object.assign(new Error('{"slice":0}'), { name: 'InvalidInput' });
  const Bucket = process.env.BUCKET;
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: request.key }));
  const number = Number(await Body.transformToString());
  await s3.send(new PutObjectCommand({ Bucket, Key: 'outputs/result', Body: String(number * 2) }));
  console.log('doubled', number);
  return { run, pid: process.pid };
};`;

test('a pipeline runs from its assembly, exchanges data through its bucket, logs, and reports failures', async () => {
  const lines: string[] = [];
  const events: TraceEvent[] = [];
  const cloud = await start(pipeline(DOUBLE), {
    onLog: (_, line) => lines.push(line),
    onTrace: (event) => events.push(event),
  });
  await cloud.putObject('inputs/n', Buffer.from('21'));
  const result = await cloud.execute({ key: 'inputs/n' }, { name: 'first' });
  expect(result).toMatchObject({
    status: 'SUCCEEDED',
    output: { run: result.executionArn, pid: cloud.workers()[0].pid },
  });
  expect(result.executionArn).toMatch(/^arn:aws:states:us-east-1:000000000000:express:Ocr-Machine\w+:first:/);
  expect((await cloud.getObject('outputs/result')).toString()).toBe('42');
  const types = ['StateEntered', 'TaskStarted', 'TaskSucceeded', 'StateExited'];
  expect(events.map(({ type }) => type)).toEqual(types);

  const failed = await cloud.execute({ fail: true });
  expect(failed).toMatchObject({ status: 'FAILED', error: 'InvalidInput' });
  expect(JSON.parse((failed as { cause: string }).cause)).toMatchObject({ errorMessage: '{"slice":0}' });

  await cloud.close();
  expect(lines.join('\n')).toContain('doubled 21');
  expect([...cloud.logs().values()].join()).toContain('doubled 21');
});

test('a function cannot reach a service that the local cloud does not give it', async () => {
  const source = `
  const { ListStateMachinesCommand, SFNClient } = require(${JSON.stringify(require.resolve('@aws-sdk/client-sfn'))});
  exports.handler = async () => {
    const error = await new SFNClient({ maxAttempts: 1 }).send(new ListStateMachinesCommand()).catch((error) => error);
    return [error.name, error.message];
  };`;
  const cloud = await start(pipeline(source));
  expect(await cloud.execute({})).toMatchObject({
    status: 'SUCCEEDED',
    output: ['UnknownOperationException', 'the local cloud does not support states:ListStateMachines'],
  });
});

test('a function with certificate authorities of its own trusts the S3 of the local cloud', async () => {
  const assembly = pipeline(DOUBLE, (stack) => {
    stack.slice.addEnvironment('NODE_EXTRA_CA_CERTS', '/var/runtime/ca-cert.pem');
  });
  const cloud = await start(assembly);
  await cloud.putObject('inputs/n', Buffer.from('21'));
  expect(await cloud.execute({ key: 'inputs/n' })).toMatchObject({ status: 'SUCCEEDED' });
});

test('closing ends running executions, kills workers and removes all files', async () => {
  const marker = path.join(fs.mkdtempSync(path.join(root, 'marker-')), 'started');
  const source = `exports.handler = async ({ request }) => {
    require('node:fs').writeFileSync(request, process.env.TMPDIR);
    await new Promise((resolve) => setTimeout(resolve, 1e6));
  };`;
  const cloud = await start(pipeline(source, (stack) => (functionOf(stack).timeout = 60)));
  const running = cloud.execute(marker).catch((error: unknown) => error);
  const folder = await until(
    'the call',
    () => fs.existsSync(marker) && (fs.readFileSync(marker, 'utf8') || undefined),
  );
  await cloud.close();
  expect(await running).toMatchObject({ name: 'LocalCloudError' });
  expect(cloud.workers()).toEqual([]);
  expect(fs.existsSync(path.dirname(path.dirname(folder)))).toBe(false);
  await expect(cloud.execute(marker)).rejects.toThrow('must be open, got a closed one: ');
});

test('a role from outside of the stack may do whatever no policy denies, and a notice says so', async () => {
  const role = 'arn:aws:iam::000000000000:role/imported';
  const accesses: Access[] = [];
  const assembly = pipeline(DOUBLE, (stack) => {
    functionOf(stack).role = role;
    new CfnStateMachineAlias(stack, 'Live', { name: 'live' });
    new CfnRule(stack, 'Nightly', { scheduleExpression: 'rate(1 day)' });
  });
  const cloud = await start(assembly, { onAccess: (access) => accesses.push(access) });
  await cloud.putObject('inputs/n', Buffer.from('21'));
  expect(await cloud.execute({ key: 'inputs/n' })).toMatchObject({ status: 'SUCCEEDED' });
  expect(cloud.notices()).toContain(
    `the role ${role} is not in the template: the local cloud lets the role ${role} do whatever no policy in the template denies`,
  );
  expect(cloud.notices()).toContainEqual(
    expect.stringMatching(/^the alias 'Live' of a state machine is not there: .* without a version/),
  );
  expect(cloud.notices()).toContain(
    "the rule 'Nightly' starts nothing here: the local cloud has no EventBridge",
  );
  const resource = `arn:aws:s3:::${cloud.pipeline.bucket}/inputs/n`;
  expect(accesses).toContainEqual({ principal: role, action: 's3:GetObject', resource });
});

test('what the role may not call fails its run, and a state machine that cannot run here fails nothing', async () => {
  const assembly = pipeline(DOUBLE, (stack) => {
    const { role } = stack.machine;
    role.node.tryRemoveChild('DefaultPolicy');
    new CfnStateMachine(stack, 'Other', { definitionString: '{}', roleArn: role.roleArn });
  });
  const cause: unknown = expect.stringContaining('lambda:InvokeFunction');
  const failed = { status: 'FAILED', error: 'Lambda.AWSLambdaException', cause };
  expect(await (await start(assembly)).execute({})).toMatchObject(failed);
});

test('with a simulation by name, results are the same, and idle sandboxes can be ended', async () => {
  const cloud = await start(pipeline(DOUBLE), { simulation: 'aws', simulationSeed: 3 });
  await cloud.putObject('inputs/n', Buffer.from('21'));
  expect(await cloud.execute({ key: 'inputs/n' })).toMatchObject({ status: 'SUCCEEDED' });
  expect((await cloud.getObject('outputs/result')).toString()).toBe('42');
  await cloud.endIdleSandboxes();
  expect(cloud.workers()).toEqual([]);
});

describe('start refuses', () => {
  test('a port that is none', async () => {
    const started = start(pipeline(DOUBLE), { ports: { s3: 80_000, stepFunctions: 0 } });
    const message = 'a port must be a whole number from 0 to 65535, got 80000: choose another port';
    await expect(started).rejects.toMatchObject({ name: 'LocalCloudError', message });
  });

  test('an assembly with a missing asset', async () => {
    const assembly = pipeline(DOUBLE);
    for (const name of fs.readdirSync(assembly)) {
      if (name.startsWith('asset.')) fs.rmSync(path.join(assembly, name), { recursive: true });
    }
    await expect(start(assembly)).rejects.toThrow('the asset Slice/Code is missing');
  });
});
