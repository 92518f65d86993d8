/** Synthesizes an app with pipelines, as `cdk synth` does. */
import { App, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { SlicedInferencePipeline, Slicing } from '../../lib';
import { ARCHITECTURE } from './deployed-pipeline';
import { temporaryFolder } from './model-builder';
import { shareZips } from './share-zips';

interface PipelineInit {
  readonly modelPath: string;
  readonly slices: number;
  /** @default - the construct's */
  readonly stateMachineType?: sfn.StateMachineType;
  /** Of each function, in MB. @default - that of the plan */
  readonly memorySize?: number;
}

/** Synthesizes a stack for each pipeline, and returns the folder of the assembly. */
export function synthesize(pipelines: Readonly<Record<string, PipelineInit>>): string {
  const app = new App({ outdir: temporaryFolder(), analyticsReporting: false });
  for (const [name, { slices, memorySize, ...props }] of Object.entries(pipelines)) {
    new SlicedInferencePipeline(new Stack(app, name), 'Pipeline', {
      ...{ ...props, slicing: Slicing.count(slices), architecture: ARCHITECTURE },
      removalPolicy: RemovalPolicy.DESTROY,
      ...(memorySize !== undefined && { sliceFunctions: { memorySize } }),
    });
  }
  return shareZips(app.synth().directory);
}
