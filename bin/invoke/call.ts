/** What the parts of `invoke` share. */
import type { CallOptions, PipelineDescription, ResultsPlace, SlicedInferenceClient } from '../../client';
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
  readonly stopOnAbort?: boolean;
  readonly results?: ResultsPlace;
}

export interface Call {
  readonly model: SlicedInferenceClient;
  readonly description: PipelineDescription;
  readonly options: InvokeOptions;
  readonly waiting: Waiting;
}

export function callOptions({ options, waiting }: Call): CallOptions {
  const { timeout: waitTimeout, stopOnAbort } = options;
  return {
    ...waiting.callOptions,
    ...(waitTimeout !== undefined && { waitTimeout }),
    ...(stopOnAbort !== undefined && { stopOnAbort }),
  };
}
