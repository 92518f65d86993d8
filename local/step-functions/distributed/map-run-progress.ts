/** How far a Map Run is, as DescribeMapRun tells. Nothing in it grows with the number of items. */

const CHILD_STATES = ['pending', 'running', 'succeeded', 'failed', 'timedOut', 'aborted'] as const;
const COUNTED = ['total', 'resultsWritten', ...CHILD_STATES] as const;

type ChildState = (typeof CHILD_STATES)[number];
type MapRunCounts = Record<(typeof COUNTED)[number], number>;

export interface MapRunLimits {
  readonly maxConcurrency: number;
  readonly toleratedFailureCount: number | undefined;
  readonly toleratedFailurePercentage: number | undefined;
}

export class MapRunProgress {
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED' = 'RUNNING';
  /** Epoch milliseconds, as the other times. */
  stopTime: number | undefined;
  redriveCount = 0;
  redriveTime: number | undefined;
  /** All items of a child are in the state of the child. */
  items = noCounts();
  /** Of the children. */
  executions = noCounts();

  constructor(
    readonly arn: string,
    /** Of the execution that contains the Map. */
    readonly executionArn: string,
    readonly limits: MapRunLimits,
    readonly startTime: number,
  ) {}

  /** Starts to count anew, at a start or a redrive. */
  reset(): void {
    this.status = 'RUNNING';
    this.stopTime = undefined;
    this.items = noCounts();
    this.executions = noCounts();
  }

  add(items: number, state: ChildState): void {
    for (const [counts, number] of this.counts(items)) {
      counts.total += number;
      counts[state] += number;
    }
  }

  move(items: number, from: ChildState, to: ChildState): void {
    for (const [counts, number] of this.counts(items)) {
      counts[from] -= number;
      counts[to] += number;
    }
  }

  written(): void {
    for (const counts of [this.items, this.executions]) counts.resultsWritten = counts.total - counts.pending;
  }

  /** If neither limit is set, no item may fail. */
  get isTooManyFailures(): boolean {
    const { toleratedFailureCount: count, toleratedFailurePercentage: percentage } = this.limits;
    const { failed, timedOut, total } = this.items;
    const failures = failed + timedOut;
    if (count === undefined && percentage === undefined) return failures > 0;
    return failures > (count ?? Infinity) || failures * 100 > (percentage ?? 100) * total;
  }

  private counts(items: number) {
    return [[this.items, items] as const, [this.executions, 1] as const];
  }
}

function noCounts(): MapRunCounts {
  return Object.fromEntries(COUNTED.map((name) => [name, 0])) as MapRunCounts;
}
