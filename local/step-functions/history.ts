/**
 * The history of an execution, as GetExecutionHistory returns it, in the order of time. It has the events of executions, states and tasks, and not
 * those of iterations, aborts and evaluations, and does not say which event follows which branch.
 */
import type { JsonObject } from '../json';
import { ERROR, StateError } from './state-error';
import { MAX_HISTORY_EVENTS } from './limits';

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html */
export type HistoryEventType =
  | `${'Task' | 'Parallel' | 'Map' | 'Choice' | 'Pass' | 'Wait' | 'Succeed' | 'Fail'}State${'Entered' | 'Exited'}`
  | `${'Parallel' | 'Map'}State${'Started' | 'Succeeded' | 'Failed'}`
  | `Task${'Scheduled' | 'Started' | 'Succeeded' | 'Failed' | 'TimedOut'}`
  | `MapRun${'Started' | 'Redriven' | 'Succeeded' | 'Failed'}`
  | `Execution${'Started' | 'Redriven' | 'Succeeded' | 'Failed' | 'TimedOut' | 'Aborted'}`;

export interface HistoryEvent {
  /** Counts from 1. */
  readonly id: number;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly type: HistoryEventType;
  readonly details: JsonObject | undefined;
}

export class History {
  readonly events: HistoryEvent[] = [];
  /** Of all events, also of those that are not kept. */
  count = 0;

  /**
   * @param keeps whether to keep the events: `false` for an Express execution. The limit on events applies only if they are kept
   */
  constructor(
    private readonly now: () => number,
    private readonly keeps: boolean,
  ) {}

  /** @throws StateError when only the event that ends the execution still fits */
  append(type: HistoryEventType, details?: () => JsonObject): void {
    if (this.keeps && this.count >= MAX_HISTORY_EVENTS - 1) {
      throw new StateError(
        ERROR.runtime,
        `The execution reached the maximum number of history events (${MAX_HISTORY_EVENTS}).`,
      );
    }
    this.add(type, details);
  }

  /** Appends also the event that ends the execution, which always fits. */
  add(type: HistoryEventType, details?: () => JsonObject): void {
    const id = ++this.count;
    if (this.keeps) this.events.push({ id, time: this.now(), type, details: details?.() });
  }
}
