/** A stack with a function of a whole model, synthesized for the local cloud. */
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { App, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { SlicedInferenceClient } from '../../client';
import { InferenceFunction, type InferenceFunctionProps } from '../../lib';
import type { LocalCloud } from '../../local';
import { ARCHITECTURE } from './deployed-pipeline';
import { MLP_PATH } from './pipeline-stack';
import { shareZips } from './share-zips';
import { temporaryFolder } from './temporary-folder';

type Props = Partial<InferenceFunctionProps>;

export function addFunction(stack: Stack, props: Props = {}, id = 'Classify'): InferenceFunction {
  const ofModel = props.slicedModel ? {} : { modelPath: MLP_PATH, dimensions: { batch: 1 } };
  return new InferenceFunction(stack, id, {
    ...{ ...ofModel, architecture: ARCHITECTURE, removalPolicy: RemovalPolicy.DESTROY },
    ...props,
  });
}

/** Returns the folder of the assembly. */
export function functionAssembly(
  props: Props = {},
  more: (fn: InferenceFunction) => void = () => undefined,
): string {
  const app = new App({ outdir: temporaryFolder(), analyticsReporting: false });
  more(addFunction(new Stack(app, 'Stack'), props));
  return shareZips(app.synth().directory);
}

const clients: (S3Client | LambdaClient)[] = [];
afterAll(() => {
  for (const client of clients) client.destroy();
});

/** @param functionName by default the function of the cloud, without its alias */
export function functionClient(cloud: LocalCloud, functionName?: string): SlicedInferenceClient {
  const own = { lambda: new LambdaClient(cloud.lambda), s3: new S3Client(cloud.s3) };
  clients.push(own.lambda, own.s3);
  return new SlicedInferenceClient({ ...own, functionName: functionName ?? cloud.pipeline.stateMachineArn });
}
