/** The demo's CDK app: one stack with an OCR model that is cut into slices. */
import { App, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { SlicedInferencePipeline, Slicing } from 'cdk-sliced-inference';
import { BATCH, MODEL_PATH, WIDTH } from './recognition-model';

/** `cdk synth --context slices=6` cuts into another number. */
const DEFAULT_SLICES = 4;

export class OcrStack extends Stack {
  public constructor(app: App, id: string, slices: number = DEFAULT_SLICES) {
    super(app, id);
    new SlicedInferencePipeline(this, 'Recognition', {
      modelPath: MODEL_PATH,
      slicing: Slicing.count(slices),
      // 640 pixels are wide enough for a line of about 60 characters.
      dimensions: { [BATCH]: 1, [WIDTH]: 640 },
      // The local cloud runs the functions on this machine, so they must have its architecture.
      architecture: process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }
}

if (require.main === module) {
  const app = new App();
  const slices: unknown = app.node.tryGetContext('slices') ?? DEFAULT_SLICES;
  new OcrStack(app, 'SlicedOcr', Number(slices));
}
