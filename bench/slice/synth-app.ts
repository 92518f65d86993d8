/** Synthesizes an app of one stack, with a pipeline if a model path is passed; prints the milliseconds. */
import { App, Stack } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type * as library from '../../lib';
import type * as application from './synth-application';

/**
 * The stack's other resources: only a bucket, or also a function with code and a state machine, as most stacks with a
 * pipeline have. With these, the stack loads CDK's modules for them anyway.
 */
export type OwnResources = 'bucket' | 'application';

function synthesize(own: OwnResources, outdir: string, modelPath?: string): void {
  const start = process.hrtime.bigint();
  const app = new App({ outdir, analyticsReporting: false });
  const stack = new Stack(app, 'Bench');
  new s3.Bucket(stack, 'Own');
  if (own === 'application') {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- a stack without these resources must not load their CDK modules
    const { addApplication } = require('./synth-application') as typeof application;
    addApplication(stack);
  }
  if (modelPath !== undefined) {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded here, so that the measured time includes it
    const { Consolidation, SlicedInferencePipeline, Slicing } = require('../../lib') as typeof library;
    new SlicedInferencePipeline(stack, 'Pipeline', {
      modelPath,
      slicing: Slicing.count(8),
      consolidation: Consolidation.NEVER,
    });
  }
  app.synth();
  process.stdout.write(`${Number(process.hrtime.bigint() - start) / 1e6}\n`);
}

if (require.main === module) {
  const [own, outdir, modelPath] = process.argv.slice(2);
  synthesize(own as OwnResources, outdir, modelPath);
}
