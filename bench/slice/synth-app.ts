/** An app of one stack, with a pipeline when a model is given: what a synthesis costs with and without one. */
import { App, Stack } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type * as library from '../../lib';
import type * as application from './synth-application';

/**
 * What the stack has besides: a bucket alone, or also what most have that would use a pipeline, a function with code
 * and a state machine. CDK's modules for these are then loaded anyway.
 */
export type OwnResources = 'bucket' | 'application';

function synthesize(own: OwnResources, outdir: string, modelPath?: string): void {
  const start = process.hrtime.bigint();
  const app = new App({ outdir, analyticsReporting: false });
  const stack = new Stack(app, 'Bench');
  new s3.Bucket(stack, 'Own');
  if (own === 'application') {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- a stack without them loads nothing of CDK's for them
    const { addApplication } = require('./synth-application') as typeof application;
    addApplication(stack);
  }
  if (modelPath !== undefined) {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded here, so that its loading counts
    const { SlicedInferencePipeline, Slicing } = require('../../lib') as typeof library;
    new SlicedInferencePipeline(stack, 'Pipeline', { modelPath, slicing: Slicing.count(8) });
  }
  app.synth();
  process.stdout.write(`${Number(process.hrtime.bigint() - start) / 1e6}\n`);
}

if (require.main === module) {
  const [own, outdir, modelPath] = process.argv.slice(2);
  synthesize(own as OwnResources, outdir, modelPath);
}
