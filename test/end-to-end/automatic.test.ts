/** A stack whose slices, memory and threads the search has chosen runs in the local cloud. */
import * as fs from 'node:fs';
import { Duration } from 'aws-cdk-lib';
import { Minimize, Slicing, Temperature } from '../../lib';
import { infer } from '../../local';
import { analyzeModel } from '../../lib/compile/analyze';
import { rows, start, synthesize } from '../support/deployed-pipeline';
import { mlp, saveModel } from '../support/model-builder';
import { profileOf, saveProfile } from '../support/model-profile';
import { runWhole } from '../support/run-slices';

interface Template {
  readonly Resources: Readonly<
    Record<string, { readonly Type: string; readonly Properties?: { readonly MemorySize?: number } }>
  >;
}

describe('the fastest plan', () => {
  const file = saveModel(mlp(4));
  const profile = saveProfile(profileOf(analyzeModel(file, { dimensions: { batch: 1 } }), { seconds: 0.1 }));
  const slicing = Slicing.automatic({
    minimize: Minimize.LATENCY,
    temperature: Temperature.WARM,
    maxLatency: Duration.minutes(1),
    maxMemorySize: 1769,
    requestsPerHour: 60,
    profile,
  });

  it('has the chosen memory and returns the bits of the whole model', async () => {
    const assembly = synthesize(file, () => ({ slicing }));
    const { Resources } = JSON.parse(fs.readFileSync(`${assembly}/Test.template.json`, 'utf8')) as Template;
    const sizes = Object.values(Resources)
      .filter(({ Type }) => Type === 'AWS::Lambda::Function')
      .map(({ Properties }) => Properties?.MemorySize);
    expect(sizes).toEqual([1769]);
    const cloud = await start(assembly);
    const feeds = rows(1, 3);
    expect(await infer(cloud, feeds)).toMatchObject({
      status: 'SUCCEEDED',
      outputs: await runWhole(file, feeds),
    });
  });
});
