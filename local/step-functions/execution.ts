/** What callers see of an execution. These types are public: they import nothing that users would have to install. */
import type { Json } from '../json';

/** How an execution ended. */
export type ExecutionResult =
  | { readonly status: 'SUCCEEDED'; readonly executionArn: string; readonly output: Json }
  | {
      readonly status: 'FAILED' | 'TIMED_OUT' | 'ABORTED';
      readonly executionArn: string;
      /** Empty when a Fail state, or the caller that stopped the execution, names none. */
      readonly error: string;
      readonly cause: string;
    };

/** An event of an execution. `time` is in epoch milliseconds. */
export type TraceEvent = { readonly time: number; readonly executionArn: string; readonly state: string } & (
  | { readonly type: 'StateEntered' }
  | { readonly type: 'TaskStarted'; readonly attempt: number }
  | { readonly type: 'TaskSucceeded'; readonly attempt: number }
  | { readonly type: 'TaskFailed'; readonly attempt: number; readonly error: string; readonly cause: string }
  | { readonly type: 'TaskRetried'; readonly attempt: number; readonly delaySeconds: number }
  | { readonly type: 'StateExited' }
);
