/** What the parts of `invoke` share. */
import type { ResultsPlace, SlicedInferenceClient } from '../../client';
import type { Waiting } from './waiting';

export interface InvokeOptions {
  readonly stateMachine: string;
  readonly inputs?: string;
  readonly inputJson?: string;
  readonly out?: string;
  readonly json?: boolean;
  /** Milliseconds. */
  readonly timeout?: number;
  /** Milliseconds. */
  readonly requestTimeout?: number;
  readonly maxResultBytes?: number;
  readonly stopOnAbort?: boolean;
  readonly results?: ResultsPlace;
}

export interface Call {
  readonly model: SlicedInferenceClient;
  readonly options: InvokeOptions;
  readonly waiting: Waiting;
}
