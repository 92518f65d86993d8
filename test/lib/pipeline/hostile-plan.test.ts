/** A plan file from a stranger writes no file outside of the cloud assembly and grants nothing more. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { SlicedInferencePipeline, SlicedModel, Slicing } from '../../../lib';
import { compile } from '../../../lib/compile/compile';
import { count } from '../../../lib/plan/slicers';
import { mlp, saveModel, temporaryFolder } from '../../support/model-builder';
import { errorOf } from '../../support/pipeline-stack';
import { writtenPlan } from '../../support/written-plan';

process.env.SLICED_INFERENCE_CACHE = temporaryFolder();

const MODEL = saveModel(mlp(4));
const CDK_JSON = '{"app":"node app.js"}\n';

/** JSON as a program without types sees it. */
type Json = Record<string, unknown>;

const ways = {
  'SlicedModel.fromDirectory': (_: Stack, file: string) => ({
    slicedModel: SlicedModel.fromDirectory(path.dirname(file)),
  }),
  'SlicedModel.fromBucket': (stack: Stack, file: string) => ({
    slicedModel: SlicedModel.fromBucket(s3.Bucket.fromBucketName(stack, 'Models', 'models'), 'ocr', file),
  }),
  'Slicing.fromPlan': (_: Stack, file: string) => ({
    modelPath: MODEL,
    dimensions: { batch: 1 },
    slicing: Slicing.fromPlan(file),
  }),
};

/** Synthesizes an app whose plan was changed, and returns the folder of the app. */
function synthesize(
  change: (plan: Json) => void,
  way: keyof typeof ways,
): { folder: string; synth: () => Template } {
  const { file } = writtenPlan(compile(MODEL, count(3), { dimensions: { batch: 1 } }));
  const plan = JSON.parse(fs.readFileSync(file, 'utf8')) as Json;
  change(plan);
  fs.writeFileSync(file, JSON.stringify(plan));
  const folder = temporaryFolder();
  fs.writeFileSync(path.join(folder, 'cdk.json'), CDK_JSON);
  const synth = (): Template => {
    const stack = new Stack(
      new App({ outdir: path.join(folder, 'cdk.out'), analyticsReporting: false }),
      'Stack',
    );
    new SlicedInferencePipeline(stack, 'Pipeline', ways[way](stack, file));
    return Template.fromStack(stack);
  };
  return { folder, synth };
}

describe.each(Object.keys(ways) as (keyof typeof ways)[])('%s', (way) => {
  test('refuses a planDigest that leads out of the cloud assembly', () => {
    const { folder, synth } = synthesize((plan) => {
      plan.planDigest = 'x/../../cdk';
      plan.app = 'touch owned';
    }, way);
    fs.mkdirSync(path.join(folder, 'cdk.out', 'plan-x'), { recursive: true });
    const error = errorOf(synth);
    expect(fs.readFileSync(path.join(folder, 'cdk.json'), 'utf8')).toBe(CDK_JSON);
    expect(fs.readdirSync(folder).sort()).toEqual(['cdk.json', 'cdk.out']);
    expect(error).toMatch(/^plan '[^\n]*' must have no field other than [^\n]*, got 'app': [^\n]*$/);
  });

  test('refuses a source that would be a wildcard in a policy', () => {
    const { synth } = synthesize((plan) => {
      const [, second] = plan.slices as { inputs: { source: Json }[] }[];
      second.inputs[0].source = { from: 'slice', slice: '*' };
    }, way);
    expect(errorOf(synth)).toMatch(
      /^slices\[1\]\.inputs\[0\]\.source\.slice of plan '.*' must be a whole number from 0 to 0, got '\*': /,
    );
  });

  test('refuses text that CDK would take for a token', () => {
    const { synth } = synthesize((plan) => {
      (plan.model as Json).file = '${Token[AWS.AccountId.0]}';
    }, way);
    expect(errorOf(synth)).toMatch(
      /^model\.file of plan '.*' must be .*, got '\$\{Token\[AWS\.AccountId\.0\]\}': /,
    );
  });
});
