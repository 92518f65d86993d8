/**
 * Asks deployed pipelines and the same ones in the local cloud the same. `npm run integ` deploys them on AWS before. Without it, another local
 * cloud stands for AWS, so that the comparison itself is tested.
 */
import * as fs from 'node:fs';
import { start } from '../support/deployed-pipeline';
import { mlp, saveModel } from '../support/model-builder';
import { ARN_OUTPUT, STACKS, synthesize } from './app';
import { reach, reachLocal, type Deployment } from './deployment';
import { REQUESTS } from './scenarios';

type Outputs = Readonly<Partial<Record<string, Readonly<Record<string, string>>>>>;

const { INTEG_ASSEMBLY, INTEG_OUTPUTS } = process.env;
const assembly = INTEG_ASSEMBLY ?? synthesize(saveModel(mlp(3))).directory;

async function deployed(pipeline: string): Promise<Deployment> {
  if (INTEG_OUTPUTS === undefined) return reachLocal(await start(assembly, { pipeline }));
  const outputs = JSON.parse(fs.readFileSync(INTEG_OUTPUTS, 'utf8')) as Outputs;
  return reach({ stateMachineArn: outputs[pipeline]?.[ARN_OUTPUT] ?? `the stack ${pipeline} is missing` });
}

describe.each(Object.values(STACKS))('the pipeline %s', (stack) => {
  let both: Deployment[];
  beforeAll(async () => {
    both = [await deployed(stack), await reachLocal(await start(assembly, { pipeline: stack }))];
  });

  it('is the same deployment in both', () => {
    // The digest names the model, the code and the settings that computed a result.
    const [onAws, here] = both.map(({ description }) => description.signature.deploymentDigest);
    expect(onAws).toBe(here);
  });

  it.each(REQUESTS)('$claim', async ({ ask, expects }) => {
    const [answer, here] = await Promise.all(both.map(ask));
    // Two clouds that fail alike confirm nothing.
    expect(here).toMatchObject(expects);
    expect(answer).toEqual(here);
  });
});
