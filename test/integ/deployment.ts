/** A deployed pipeline, on AWS or in a local cloud, as applications reach it: through `SlicedInferenceClient`. */
import { type S3ClientConfig, S3Client } from '@aws-sdk/client-s3';
import { type SFNClientConfig, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import {
  InferenceError,
  SlicedInferenceClient,
  type InferenceResult,
  type InferOptions,
  type PipelineDescription,
  type TensorInputs,
} from '../../client';
import { isOnThisMachine } from '../../client/aws/step-functions';

export interface Access {
  readonly stateMachineArn: string;
  /** Settings of the SDK; by default those of the environment. */
  readonly stepFunctions?: SFNClientConfig;
  readonly s3?: S3ClientConfig;
}

/** How a call ended, or why nothing was started. */
export type Outcome<T> = { readonly result: T } | { readonly error: InferenceError };

export class Deployment {
  /** Asks for the description of the pipeline. */
  static async at(access: Access): Promise<Deployment> {
    const { stateMachineArn, stepFunctions = {}, s3 = {} } = access;
    const { AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_SFN } = process.env;
    // The test of this program names a local cloud by these variables.
    const disableHostPrefix = isOnThisMachine(AWS_ENDPOINT_URL_SFN ?? AWS_ENDPOINT_URL);
    const clients = {
      stepFunctions: new SFNClient({ disableHostPrefix, ...stepFunctions }),
      s3: new S3Client(s3),
    };
    const model = new SlicedInferenceClient({ stateMachineArn, ...clients });
    return new Deployment(access, model, clients.stepFunctions, await model.describe());
  }

  private constructor(
    private readonly access: Access,
    private readonly model: SlicedInferenceClient,
    private readonly stepFunctions: SFNClient,
    readonly description: PipelineDescription,
  ) {}

  /** The same pipeline through an alias of its state machine. */
  through(alias: string): Promise<Deployment> {
    const { access } = this;
    return Deployment.at({ ...access, stateMachineArn: `${access.stateMachineArn}:${alias}` });
  }

  infer(inputs: TensorInputs, options: InferOptions = {}): Promise<Outcome<InferenceResult>> {
    return outcomeOf(this.model.infer(inputs, options));
  }

  /** Sends a request as it is, so that the pipeline itself refuses one that is wrong. */
  invoke(request: unknown): Promise<Outcome<unknown>> {
    return outcomeOf(this.model.invoke(request));
  }

  /** Starts an execution without the client, which would refuse this input itself. Returns the name of the service's error. */
  async refusal(input: string): Promise<string> {
    const { stateMachineArn } = this.access;
    const command = new StartExecutionCommand({ stateMachineArn, input });
    return this.stepFunctions.send(command).then(
      () => 'none',
      (error: unknown) => (error as Error).name,
    );
  }
}

/** Rejects only for what is no failure of a call, such as a wait that is too long: `endOf` makes a finding of it. */
async function outcomeOf<T>(call: Promise<T>): Promise<Outcome<T>> {
  try {
    return { result: await call };
  } catch (error) {
    if (error instanceof InferenceError) return { error };
    throw error;
  }
}
