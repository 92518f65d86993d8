/** A deployed pipeline, on AWS or in a local cloud, as applications reach it: through `SlicedInferenceClient`. */
import { type S3ClientConfig, S3Client } from '@aws-sdk/client-s3';
import { type SFNClientConfig, SFNClient } from '@aws-sdk/client-sfn';
import { SlicedInferenceClient, type PipelineDescription } from '../../client';
import type { LocalCloud } from '../../local';

interface Access {
  readonly stateMachineArn: string;
  /** Settings of the SDK; by default those of the environment. */
  readonly stepFunctions?: SFNClientConfig;
  readonly s3?: S3ClientConfig;
}

export interface Deployment {
  readonly access: Access;
  readonly model: SlicedInferenceClient;
  readonly stepFunctions: SFNClient;
  readonly description: PipelineDescription;
}

/** Asks for the description of the pipeline. */
export async function reach(access: Access): Promise<Deployment> {
  const { stateMachineArn } = access;
  const [stepFunctions, s3] = [new SFNClient(access.stepFunctions ?? {}), new S3Client(access.s3 ?? {})];
  const model = new SlicedInferenceClient({ stateMachineArn, stepFunctions, s3 });
  return { access, model, stepFunctions, description: await model.describe() };
}

export function reachLocal({ pipeline, stepFunctions, s3 }: LocalCloud): Promise<Deployment> {
  return reach({ stateMachineArn: pipeline.stateMachineArn, stepFunctions, s3 });
}
