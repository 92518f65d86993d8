/** Synthesizes the stacks that its argument lists as JSON. */
import { App, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { BatchItems, SlicedInferenceBatch, SlicedInferencePipeline, SlicedModel, WarmUp } from '../lib';
import type { Subject } from './synthesize';

function build({ outdir, slices, memoryMb, warmUp = false, batches = [] }: Subject): void {
  const app = new App({ outdir, analyticsReporting: false });
  const stack = new Stack(app, 'Bench');
  const pipeline = new SlicedInferencePipeline(stack, 'Pipeline', {
    slicedModel: SlicedModel.fromDirectory(slices),
    // What the benchmark of runs measures is the way through S3.
    ...(memoryMb === undefined ? { tensorsInState: false } : { sliceFunctions: { memorySize: memoryMb } }),
    warmUp: warmUp ? WarmUp.ALWAYS : WarmUp.NEVER,
    stateMachineType: sfn.StateMachineType.EXPRESS,
    architecture: process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
  });
  for (const { name, itemsPerRun, concurrency: maxConcurrency, areLines } of batches) {
    const items = areLines ? BatchItems.jsonLines('inputs/bench/list') : BatchItems.objects('inputs/bench/');
    new SlicedInferenceBatch(stack, name, { pipeline, items, itemsPerRun, maxConcurrency });
  }
  app.synth();
}

if (require.main === module) for (const subject of JSON.parse(process.argv[2]) as Subject[]) build(subject);
