/** Asks for a pipeline's description once, and again after a deployment. */
import type { StepFunctions } from '../aws/step-functions';
import type { PipelineDescription } from './pipeline-description';
import { readDescription } from './read-description';

export class PipelineDescriptions {
  private last: Promise<PipelineDescription> | undefined;

  constructor(
    private readonly stateMachineArn: string,
    private readonly stepFunctions: StepFunctions,
  ) {}

  /** The description that was read last. Calls that start at the same time share one request. */
  known(): Promise<PipelineDescription> {
    return this.last ?? this.latest();
  }

  /** Asks Step Functions. A failure is not kept. */
  latest(): Promise<PipelineDescription> {
    const { stateMachineArn } = this;
    const asked = this.stepFunctions
      .describeStateMachine(stateMachineArn)
      .then((described) => readDescription(stateMachineArn, described));
    this.last = asked;
    asked.catch(() => {
      if (this.last === asked) this.last = undefined;
    });
    return asked;
  }
}
