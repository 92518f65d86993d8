/** The function of a whole model in the local cloud: synthesized, called by its alias, and compared with ONNX Runtime. */
import { App, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { InferenceFunction, type InferenceFunctionProps } from '../../lib';
import { LocalCloud, infer } from '../../local';
import { ARCHITECTURE } from '../support/deployed-pipeline';
import { temporaryFolder } from '../support/model-builder';
import { MLP_PATH } from '../support/pipeline-stack';

function synthesize(props: Partial<InferenceFunctionProps> = {}): string {
  const app = new App({ outdir: temporaryFolder(), analyticsReporting: false });
  new InferenceFunction(new Stack(app, 'Stack'), 'Classify', {
    ...{ modelPath: MLP_PATH, dimensions: { batch: 1 }, architecture: ARCHITECTURE },
    removalPolicy: RemovalPolicy.DESTROY,
    ...props,
  });
  return app.synth().directory;
}

test('try', async () => {
  const cloud = await LocalCloud.start(synthesize());
  console.log(JSON.stringify(cloud.pipeline));
  console.log(JSON.stringify(await cloud.execute({ version: 1, describe: true })));
  await cloud.close();
});
