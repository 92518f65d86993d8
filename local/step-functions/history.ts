/**
 * The history of an execution, as GetExecutionHistory returns it. The order of the events and their previous ids are those
 * that AWS returns, as far as recordings of real executions show them: the snapshots of LocalStack's tests were recorded
 * on AWS (https://github.com/localstack/localstack/tree/main/tests/aws/services/stepfunctions/v2). Believed only: the
 * events after a redrive.
 */
import type { JsonObject } from '../json';
import { ERROR, StateError } from './state-error';
import { MAX_HISTORY_EVENTS } from './limits';

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html */
export type HistoryEventType =
  | `${'Task' | 'Parallel' | 'Map' | 'Choice' | 'Pass' | 'Wait' | 'Succeed' | 'Fail'}State${'Entered' | 'Exited'}`
  | `${'Task' | 'Parallel' | 'Map' | 'Wait'}StateAborted`
  | `${'Parallel' | 'Map'}State${'Started' | 'Succeeded' | 'Failed'}`
  | `MapIteration${'Started' | 'Succeeded' | 'Failed' | 'Aborted'}`
  | `Task${'Scheduled' | 'Started' | 'Succeeded' | 'Failed' | 'TimedOut'}`
  | 'EvaluationFailed'
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

/** The details of data in an event. The local cloud truncates nothing. */
export const COMPLETE = { truncated: false };

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
