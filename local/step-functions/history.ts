/**
 * The history of an execution, as GetExecutionHistory returns it. It has the events of executions, states and tasks, and not
 * those of iterations, aborts and evaluations.
 */
import type { JsonObject } from '../json';
import { ERROR, StateError } from './state-error';
import { MAX_HISTORY_EVENTS } from './limits';

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html */
export type HistoryEventType =
  | `${'Task' | 'Parallel' | 'Map' | 'Choice' | 'Pass' | 'Wait' | 'Succeed' | 'Fail'}State${'Entered' | 'Exited'}`
  | `${'Parallel' | 'Map'}State${'Started' | 'Succeeded' | 'Failed'}`
  | `Task${'Scheduled' | 'Started' | 'Succeeded' | 'Failed' | 'TimedOut'}`
  | 'ExecutionStarted'
  | 'ExecutionRedriven'
  | ExecutionEnd;

type ExecutionEnd = `Execution${'Succeeded' | 'Failed' | 'TimedOut' | 'Aborted'}`;

export interface HistoryEvent {
  /** Counts from 1. */
  readonly id: number;
  readonly previousEventId: number;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly type: HistoryEventType;
  readonly details: JsonObject | undefined;
}

export class History {
  private readonly kept: HistoryEvent[] = [];
  private count = 0;

  /**
   * @param keeps whether to keep the events: `false` for an Express execution. The limit on events applies only if they are kept
   */
  constructor(
    private readonly now: () => number,
    private readonly keeps: boolean,
  ) {}

  get events(): readonly HistoryEvent[] {
    return this.kept;
  }

  /**
   * Appends an event and returns its id.
   * @throws StateError when only the event that ends the execution still fits
   */
  append(type: HistoryEventType, previousEventId: number, details?: () => JsonObject): number {
    if (this.keeps && this.count >= MAX_HISTORY_EVENTS - 1) {
      throw new StateError(
        ERROR.runtime,
        `The execution reached the maximum number of history events (${MAX_HISTORY_EVENTS}).`,
      );
    }
    return this.add(type, previousEventId, details);
  }

  /** Appends the event that ends the execution, which always fits. */
  end(type: ExecutionEnd, previousEventId: number, details?: JsonObject): void {
    this.add(type, previousEventId, details && (() => details));
  }

  private add(type: HistoryEventType, previousEventId: number, details?: () => JsonObject): number {
    const id = ++this.count;
    if (this.keeps) {
      this.kept.push({ id, previousEventId, time: this.now(), type, details: details?.() });
    }
    return id;
  }
}
