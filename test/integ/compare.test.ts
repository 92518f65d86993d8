/** The comparison itself, with two local clouds, of which one stands for AWS: nothing here runs on AWS. */
import * as path from 'node:path';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { LocalCloud } from '../../local';
import { mlp, saveModel, temporaryFolder } from '../support/model-builder';
import { InferenceTimeoutError } from '../../client';
import { buildApp, STACKS } from './app';
import {
  compareDigests,
  compareScenarios,
  countFindings,
  describeFinding,
  judge,
  measureTimes,
  type Finding,
} from './compare';
import { Deployment } from './deployment';
import { endOf } from './end-of-call';
import { DENIED, REQUESTS, type Answer, type Scenario } from './scenarios';

const ARCHITECTURE = process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64;
const clouds: LocalCloud[] = [];
afterAll(() => Promise.all(clouds.map((cloud) => cloud.close())));

function synthesized(layers: number): string {
  const outdir = path.join(temporaryFolder(), 'cdk.out');
  return buildApp({ modelPath: saveModel(mlp(layers)), architecture: ARCHITECTURE, outdir }).app.synth()
    .directory;
}

let assembly: string;
let other: string;
beforeAll(() => {
  assembly = synthesized(3);
  other = synthesized(4);
});

async function deployed(directory: string, pipeline: string): Promise<Deployment> {
  const cloud = await LocalCloud.start(directory, { pipeline });
  clouds.push(cloud);
  const { pipeline: own, stepFunctions, s3 } = cloud;
  return Deployment.at({ stateMachineArn: own.stateMachineArn, stepFunctions, s3 });
}

async function all(findings: AsyncIterable<Finding>): Promise<Finding[]> {
  const found: Finding[] = [];
  for await (const finding of findings) found.push(finding);
  return found;
}

describe('two clouds with the same deployment', () => {
  it.each([
    ['express', STACKS.express, REQUESTS],
    ['standard', STACKS.standard, REQUESTS],
    ['denied', STACKS.denied, DENIED],
  ] as const)('confirm each other: %s', async (subject, stack, scenarios) => {
    const pair = { aws: await deployed(assembly, stack), local: await deployed(assembly, stack) };
    const findings = await all(compareScenarios(subject, pair, scenarios));
    expect(findings.filter(({ verdict }) => verdict !== 'confirmed')).toEqual([]);
    expect(findings).toHaveLength(scenarios.length);
    expect(compareDigests(subject, pair).verdict).toBe('confirmed');
  });
});

describe('two clouds with different models', () => {
  it('differ in digests and in each result, and times are only stated', async () => {
    const pair = {
      aws: await deployed(other, STACKS.express),
      local: await deployed(assembly, STACKS.express),
    };
    expect(compareDigests('express', pair)).toMatchObject({ verdict: 'differs' });
    const findings = await all(compareScenarios('express', pair, REQUESTS.slice(0, 2)));
    expect(findings).toMatchObject([{ verdict: 'differs' }, { verdict: 'differs' }]);
    const times = await measureTimes('express', pair);
    expect(times).toMatchObject({
      verdict: 'not checked',
      detail: expect.stringMatching(/AWS \d+ ms, local \d+ ms$/) as string,
    });
    expect(describeFinding(times)).toMatch(
      /^not checked  express   times of warm runs: medians of 5 runs: .*\n$/,
    );
    expect(countFindings([...findings, times])).toBe('0 confirmed, 2 differs, 1 not checked\n');
  });
});

describe('a cloud that throws', () => {
  const [succeeding] = REQUESTS;

  /** As a wait that is too long, which is no `InferenceError`. */
  function timesOut(...clouds: readonly Deployment[]): Scenario {
    const ask = (cloud: Deployment): Promise<Answer> =>
      clouds.includes(cloud)
        ? Promise.reject(new InferenceTimeoutError('the run must end\nwithin 1 s'))
        : succeeding.ask(cloud);
    return { claim: 'a run ends', expects: succeeding.expects, ask };
  }

  it('differs, and the next requests are compared', async () => {
    const aws = await deployed(assembly, STACKS.express);
    const local = await deployed(assembly, STACKS.express);
    const scenarios = [timesOut(aws), timesOut(aws, local), succeeding];
    const threw = 'threw InferenceTimeoutError: the run must end within 1 s';
    expect(await all(compareScenarios('express', { aws, local }, scenarios))).toMatchObject([
      { verdict: 'differs', detail: expect.stringContaining(`AWS ${threw}; local {"status":`) as string },
      { verdict: 'differs', detail: `both ${threw}` },
      { verdict: 'confirmed', detail: '' },
    ]);
  });

  it('has no times if a run fails', async () => {
    const pair = {
      aws: await deployed(assembly, STACKS.denied),
      local: await deployed(assembly, STACKS.express),
    };
    expect(await measureTimes('express', pair)).toMatchObject({
      verdict: 'differs',
      detail: expect.stringMatching(/^AWS threw SliceFailed: .*; local \d+ ms$/) as string,
    });
  });
});

describe('an interrupt', () => {
  const never = () => new Promise<never>(() => undefined);

  it('ends the wait for a call that never answers, with its reason', async () => {
    const interrupt = new AbortController();
    const end = endOf(never, interrupt.signal);
    const reason = new Error('enough');
    interrupt.abort(reason);
    await expect(end).rejects.toBe(reason);
  });

  it('starts no further call', async () => {
    const call = jest.fn(never);
    await expect(endOf(call, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
    expect(call).not.toHaveBeenCalled();
  });
});

describe('answers', () => {
  const failed = { status: 'FAILED', error: 'InvalidInput', cause: { slice: 0, message: 'bad' } };
  const expects = { status: 'FAILED', error: 'InvalidInput' };

  it.each([
    ['another error', { ...failed, error: 'SliceFailed' }],
    ['another cause', { ...failed, cause: { slice: 1, message: 'bad' } }],
    ['another status', { ...failed, status: 'TIMED_OUT' }],
    ['no cause', { status: 'FAILED', error: 'InvalidInput' }],
  ])('differ by %s', (_, onAws) => {
    expect(judge({ value: onAws }, { value: failed }, expects).verdict).toBe('differs');
    expect(judge({ value: failed }, { value: failed }, expects).verdict).toBe('confirmed');
  });

  it('differ if both are the same but not what is expected', () => {
    expect(judge({ value: failed }, { value: failed }, { status: 'SUCCEEDED' })).toMatchObject({
      verdict: 'differs',
      detail: expect.stringMatching(/^both /) as string,
    });
  });
});
