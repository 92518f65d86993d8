/** What a local cloud tells about the state machines that it runs. These types are public: they import nothing that users would have to install. */
import type { JsonObject } from '../json';

/** A state machine that the local cloud runs. */
export interface LocalStateMachine {
  readonly stackName: string;
  readonly stateMachineArn: string;
  readonly stateMachineType: 'STANDARD' | 'EXPRESS';
}

/** A pipeline that the local cloud runs. */
export interface LocalPipeline extends LocalStateMachine {
  readonly bucket: string;
  /** The pipeline's signature, which the construct wrote into the comment of the definition. */
  readonly signature: JsonObject;
}
