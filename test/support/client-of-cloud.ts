/** Clients of pipelines in a local cloud. Their connections are closed after the test file. */
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SlicedInferenceClient, type SlicedInferenceClientOptions } from '../../client';
import type { LocalCloud } from '../../local';

const clients: (S3Client | SFNClient)[] = [];
afterAll(() => {
  for (const client of clients) client.destroy();
});

export function clientOf(
  cloud: LocalCloud,
  options: Partial<SlicedInferenceClientOptions> = {},
): SlicedInferenceClient {
  const { s3, stepFunctions } = cloud;
  const own = { stepFunctions: new SFNClient(stepFunctions), s3: new S3Client(s3) };
  clients.push(own.stepFunctions, own.s3);
  const { stateMachineArn = cloud.pipeline.stateMachineArn } = options;
  return new SlicedInferenceClient({ ...own, ...options, stateMachineArn });
}
