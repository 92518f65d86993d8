/** The CDK app of the batch: pictures of single lines go in, and a table with their text comes out. */
import { App, CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { BatchItems, SlicedInferenceBatch, SlicedInferencePipeline, Slicing } from 'cdk-sliced-inference';
import { LINES_PREFIX } from './functions/photo-limits';
import { RECOGNITION_DIMENSIONS, RECOGNITION_MODEL } from './models';
import { allowRequests, ARCHITECTURE, nodeFunction, WITH_ALPHABET } from './node-function';

export class LinesStack extends Stack {
  public constructor(app: App, id: string) {
    super(app, id);
    const prepare = nodeFunction(this, 'PrepareLine', 'prepare-line');
    const read = nodeFunction(this, 'ReadLine', 'read-line', WITH_ALPHABET);
    const pipeline = new SlicedInferencePipeline(this, 'Recognition', {
      modelPath: RECOGNITION_MODEL,
      slicing: Slicing.count(2),
      // One line of up to about 60 characters.
      dimensions: { [RECOGNITION_DIMENSIONS.batch]: 1, [RECOGNITION_DIMENSIONS.width]: 640 },
      preprocess: prepare,
      postprocess: read,
      architecture: ARCHITECTURE,
      removalPolicy: RemovalPolicy.DESTROY,
      autoDeleteObjects: true,
    });
    prepare.addEnvironment('SLICED_INFERENCE_BUCKET', pipeline.bucket.bucketName);
    allowRequests(pipeline, prepare, LINES_PREFIX);
    pipeline.grantReadOutputs(read);
    const { stateMachine } = new SlicedInferenceBatch(this, 'Lines', {
      pipeline,
      items: BatchItems.objects(LINES_PREFIX),
    });
    new CfnOutput(this, 'BatchArn', { value: stateMachine.stateMachineArn });
    new CfnOutput(this, 'Bucket', { value: pipeline.bucket.bucketName });
  }
}

if (require.main === module) new LinesStack(new App(), 'SlicedLines');
