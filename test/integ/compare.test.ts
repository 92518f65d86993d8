/** The comparison itself, with two local clouds, of which one stands for AWS: nothing here runs on AWS. */
import { start } from '../support/deployed-pipeline';
import { mlp, saveModel } from '../support/model-builder';
import { STACKS, synthesize } from './app';
import { compareDeployments, judge } from './compare';
import { reachLocal, type Deployment } from './deployment';

async function deployed(layers: number): Promise<Deployment> {
  const { directory } = synthesize(saveModel(mlp(layers)));
  return reachLocal(await start(directory, { pipeline: STACKS.express }));
}

it('finds that two models differ in digests and in each result', async () => {
  const pair = { aws: await deployed(4), local: await deployed(3) };
  const differing: string[] = [];
  for await (const { claim, verdict } of compareDeployments('express', pair))
    if (verdict === 'differs') differing.push(claim);
  expect(differing.slice(0, 3)).toEqual([
    'the same deployment runs in both',
    'a small request returns the same bits, inside the output',
    'a small request returns the same bits, from S3',
  ]);
});

const failed = { status: 'FAILED', error: 'InvalidInput', cause: { slice: 0, message: 'bad' } };

it.each([
  ['confirmed', { value: failed }, 'FAILED'],
  ['differs', { value: { ...failed, error: 'SliceFailed' } }, 'FAILED'],
  ['differs', { value: { ...failed, cause: { slice: 1, message: 'bad' } } }, 'FAILED'],
  ['differs', { threw: 'InferenceTimeoutError: the run must end' }, 'FAILED'],
  // Both are the same, but not what is expected.
  ['differs', { value: failed }, 'SUCCEEDED'],
])('judges: %s, if AWS answers %j and %s is expected', (verdict, onAws, status) => {
  expect(judge(onAws, { value: failed }, { status, error: 'InvalidInput' }).verdict).toBe(verdict);
});
