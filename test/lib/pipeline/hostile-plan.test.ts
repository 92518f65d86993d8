/** A plan file from a stranger writes no file outside of the cloud assembly and grants nothing more. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
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

const ways = {
  'SlicedModel.fromDirectory': (_: Stack, file: string) => ({
    slicedModel: SlicedModel.fromDirectory(path.dirname(file)),
  }),
  'SlicedModel.fromBucket': (stack: Stack, file: string) => ({
    slicedModel: SlicedModel.fromBucket(s3.Bucket.fromBucketName(stack, 'Models', 'models'), 'ocr', file),
  }),
  'Slicing.fromPlan': (_: Stack, file: string) => ({
    ...{ modelPath: MODEL, dimensions: { batch: 1 } },
    slicing: Slicing.fromPlan(file),
  }),
};

const PLAN_FAULT =
  /^(?:Stack\/Pipeline: )?plan '[^\n]*' must have no field other than [^\n]*, got 'app': [^\n]*$/;

test.each(Object.entries(ways))(
  '%s refuses a planDigest that leads out of the cloud assembly',
  (_, props) => {
    const { file } = writtenPlan(compile(MODEL, count(3), { dimensions: { batch: 1 } }));
    const plan = JSON.parse(fs.readFileSync(file, 'utf8')) as object;
    fs.writeFileSync(file, JSON.stringify({ ...plan, planDigest: 'x/../../cdk', app: 'touch owned' }));
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'cdk.json'), CDK_JSON);
    const outdir = path.join(folder, 'cdk.out');
    fs.mkdirSync(path.join(outdir, 'plan-x'), { recursive: true });
    const app = new App({ outdir, analyticsReporting: false });
    const stack = new Stack(app, 'Stack');
    const synth = (): void => {
      new SlicedInferencePipeline(stack, 'Pipeline', props(stack, file));
      app.synth();
    };
    expect(errorOf(synth)).toMatch(PLAN_FAULT);
    expect(fs.readFileSync(path.join(folder, 'cdk.json'), 'utf8')).toBe(CDK_JSON);
    expect(fs.readdirSync(folder).sort()).toEqual(['cdk.json', 'cdk.out']);
  },
);
