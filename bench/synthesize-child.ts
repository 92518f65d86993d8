/** Synthesizes the stacks that its argument lists as JSON: slices, and the whole model in one function. */
import * as path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Consolidation, SlicedInferencePipeline, SlicedModel, Slicing, WarmUp } from '../lib';
import type { Subject } from './synthesize';

function build({ outdir, model, slices, memoryMb, warmUp = false }: Subject): void {
  const { dimensions, file: modelPath } = model;
  const app = new App({ outdir, analyticsReporting: false });
  const stack = new Stack(app, 'Bench');
  new SlicedInferencePipeline(stack, 'Pipeline', {
    ...(memoryMb !== undefined
      ? {
          slicedModel: SlicedModel.fromDirectory(String(slices)),
          sliceFunctions: { memorySize: memoryMb },
        }
      : {
          ...{ modelPath, dimensions },
          // What the benchmarks measure is the way through S3.
          tensorsInState: false,
          slicing:
            typeof slices === 'number'
              ? Slicing.count(slices)
              : // Without warm-ups the search would choose other cuts.
                Slicing.fromPlan(path.join(slices, 'plan.json')),
          consolidation: Consolidation.NEVER,
        }),
    warmUp: warmUp ? WarmUp.ALWAYS : WarmUp.NEVER,
    stateMachineType: sfn.StateMachineType.EXPRESS,
    architecture: process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
  });
  app.synth();
}

if (require.main === module) for (const subject of JSON.parse(process.argv[2]) as Subject[]) build(subject);
