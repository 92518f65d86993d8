/** An app of one stack, with a pipeline when a model is given: what a synthesis costs with and without one. */
import { App, Stack } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type * as library from '../lib';

const [outdir, modelPath]: (string | undefined)[] = process.argv.slice(2);
const start = process.hrtime.bigint();
const app = new App({ ...(outdir && { outdir }), analyticsReporting: false });
const stack = new Stack(app, 'Bench');
new s3.Bucket(stack, 'Own');
if (modelPath) {
  // Loaded here, so that its loading counts.
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- as the line above says
  const { SlicedInferencePipeline, Slicing } = require('../lib') as typeof library;
  new SlicedInferencePipeline(stack, 'Pipeline', { modelPath, slicing: Slicing.count(8) });
}
app.synth();
process.stdout.write(`${Number(process.hrtime.bigint() - start) / 1e6}\n`);
