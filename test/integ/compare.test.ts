/** The comparison itself, with two local clouds, of which one stands for AWS: nothing here runs on AWS. */
import * as path from 'node:path';
import { InferenceTimeoutError } from '../../client';
import { LocalCloud } from '../../local';
import { ARCHITECTURE } from '../support/deployed-pipeline';
import { mlp, saveModel, temporaryFolder } from '../support/model-builder';
import { buildApp, STACKS } from './app';
import {
  compareDigests,
  compareScenarios,
  countFindings,
  describeFinding,
  endOf,
  judge,
  measureTimes,
  type Finding,
} from './compare';
import { Deployment } from './deployment';
import { REQUESTS, type Scenario } from './scenarios';

const clouds: LocalCloud[] = [];
afterAll(() => Promise.all(clouds.map((cloud) => cloud.close())));

const [assembly, other] = [3, 4].map((layers) => {
  const outdir = path.join(temporaryFolder(), 'cdk.out');
  const { app } = buildApp({ modelPath: saveModel(mlp(layers)), architecture: ARCHITECTURE, outdir });
  return app.synth().directory;
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

it('finds that two models differ in digests and in each result, and only states times', async () => {
  const pair = {
    aws: await deployed(other, STACKS.express),
    local: await deployed(assembly, STACKS.express),
  };
  expect(compareDigests('express', pair)).toMatchObject({ verdict: 'differs' });
  const findings = await all(compareScenarios('express', pair, REQUESTS.slice(0, 2)));
  expect(findings).toMatchObject([{ verdict: 'differs' }, { verdict: 'differs' }]);
  const times = await measureTimes('express', pair);
  expect(describeFinding(times)).toMatch(
    /^not checked  express   times of warm runs: medians of 5 runs: AWS \d+ ms, local \d+ ms\n$/,
  );
  expect(countFindings([...findings, times])).toBe('0 confirmed, 2 differs, 1 not checked\n');
});

it('finds that a cloud which throws differs, has no times if a run fails, and compares the next requests', async () => {
  const [aws, local, denied] = [
    await deployed(assembly, STACKS.express),
    await deployed(assembly, STACKS.express),
    await deployed(assembly, STACKS.denied),
  ];
  const [succeeding] = REQUESTS;
  /** As a wait that is too long, which is no `InferenceError`. */
  const timesOut = (...failing: readonly Deployment[]): Scenario => ({
    ...succeeding,
    ask: (cloud) =>
      failing.includes(cloud)
        ? Promise.reject(new InferenceTimeoutError('the run must end\nwithin 1 s'))
        : succeeding.ask(cloud),
  });
  const scenarios = [timesOut(aws), timesOut(aws, local), succeeding];
  const threw = 'threw InferenceTimeoutError: the run must end within 1 s';
  expect(await all(compareScenarios('express', { aws, local }, scenarios))).toMatchObject([
    { verdict: 'differs', detail: expect.stringContaining(`AWS ${threw}; local {"status":`) as string },
    { verdict: 'differs', detail: `both ${threw}` },
    { verdict: 'confirmed', detail: '' },
  ]);
  expect(await measureTimes('express', { aws: denied, local })).toMatchObject({
    verdict: 'differs',
    detail: expect.stringMatching(/^AWS threw SliceFailed: .*; local \d+ ms$/) as string,
  });
});

it('ends the wait for a call that never answers after an interrupt, and starts no further one', async () => {
  const interrupt = new AbortController();
  const never = jest.fn(() => new Promise<never>(() => undefined));
  const end = endOf(never, interrupt.signal);
  const reason = new Error('enough');
  interrupt.abort(reason);
  await expect(end).rejects.toBe(reason);
  await expect(endOf(never, interrupt.signal)).rejects.toBe(reason);
  expect(never).toHaveBeenCalledTimes(1);
});

const failed = { status: 'FAILED', error: 'InvalidInput', cause: { slice: 0, message: 'bad' } };

it.each([
  ['confirmed', failed, 'FAILED'],
  ['differs', { ...failed, error: 'SliceFailed' }, 'FAILED'],
  ['differs', { ...failed, cause: { slice: 1, message: 'bad' } }, 'FAILED'],
  ['differs', { ...failed, status: 'TIMED_OUT' }, 'FAILED'],
  ['differs', { status: 'FAILED', error: 'InvalidInput' }, 'FAILED'],
  // Both are the same, but not what is expected.
  ['differs', failed, 'SUCCEEDED'],
])('judges: %s, if AWS answers %j and %s is expected', (verdict, onAws, status) => {
  expect(judge({ value: onAws }, { value: failed }, { status, error: 'InvalidInput' }).verdict).toBe(verdict);
});
