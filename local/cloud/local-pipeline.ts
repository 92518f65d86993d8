/** What a local cloud tells about the state machines that it runs. These types are public: they import nothing that users would have to install. */
import type { JsonObject } from '../json';

/** A state machine that the local cloud runs, or a function that callers invoke. */
export interface LocalStateMachine {
  readonly stackName: string;
  /** Of a function, the ARN of its alias. */
  readonly stateMachineArn: string;
  readonly stateMachineType: 'STANDARD' | 'EXPRESS' | 'FUNCTION';
}

/** A pipeline or a function of a whole model that the local cloud runs. */
export interface LocalPipeline extends LocalStateMachine {
  readonly bucket: string;
  /** The pipeline's signature, which the construct wrote into the comment of the definition. */
  readonly signature: JsonObject;
}
