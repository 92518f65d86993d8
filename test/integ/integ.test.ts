/**
 * Asks deployed pipelines and the same ones in the local cloud the same. `npm run integ` deploys them on AWS before. Without it, another local
 * cloud stands for AWS, so that the comparison itself is tested.
 */
import * as fs from 'node:fs';
import { start } from '../support/deployed-pipeline';
import { mlp, saveModel } from '../support/model-builder';
import { ARN_OUTPUT, STACKS, synthesize } from './app';
import { Deployment, SCENARIOS } from './scenarios';

type Outputs = Readonly<Partial<Record<string, Readonly<Record<string, string>>>>>;

const { INTEG_ASSEMBLY, INTEG_OUTPUTS } = process.env;
const assembly = INTEG_ASSEMBLY ?? synthesize(saveModel(mlp(3))).directory;

async function deployed(pipeline: string): Promise<Deployment> {
  if (INTEG_OUTPUTS === undefined) return Deployment.local(await start(assembly, { pipeline }));
  const outputs = JSON.parse(fs.readFileSync(INTEG_OUTPUTS, 'utf8')) as Outputs;
  return new Deployment(outputs[pipeline]?.[ARN_OUTPUT] ?? `the stack ${pipeline} is missing`);
}

describe.each(Object.values(STACKS))('the pipeline %s', (stack) => {
  let both: Deployment[];
  beforeAll(async () => {
    both = [await deployed(stack), Deployment.local(await start(assembly, { pipeline: stack }))];
  });

  it('is the same deployment in both', async () => {
    // The digest names the model, the code and the settings that computed a result.
    const [onAws, here] = await Promise.all(both.map(({ model }) => model.describe()));
    expect(onAws.signature.deploymentDigest).toBe(here.signature.deploymentDigest);
  });

  it.each(Object.entries(SCENARIOS))('%s', async (_, [outcome, ask]) => {
    const [answer, here] = await Promise.all(both.map(ask));
    expect(here.outcome).toBe(outcome);
    expect(answer).toEqual(here);
  });
});
