/** A state machine's definition after validation. Its types express only what the interpreter supports. */
import type { Query } from './query';

/** The states of a machine, of a branch or of a Map's iterations. */
export interface StateGraph {
  readonly startAt: string;
  readonly states: ReadonlyMap<string, State>;
}

export interface Definition extends StateGraph {
  readonly timeoutSeconds: number | undefined;
}

export type State =
  TaskState | CompositeState | ChoiceState | PassState | WaitState | SucceedState | FailState;

export type RetryableState = TaskState | CompositeState;

export type CompositeState = ParallelState | MapState | DistributedMapState;

interface Named {
  readonly name: string;
}

/** The next state, or `undefined` at the end. */
export interface Transition {
  readonly next: string | undefined;
}

/** The output of a state and the variables that it assigns at its end. */
export interface StateExit {
  /** If absent, the output is the state's result, or the caught error. */
  readonly output: Query | undefined;
  readonly assign: readonly (readonly [string, Query])[];
}

export interface ErrorHandling {
  readonly retry: readonly Retrier[];
  readonly catch: readonly Catcher[];
}

export interface TaskState extends Named, Transition, StateExit, ErrorHandling {
  readonly type: 'Task';
  /** ARN of the Lambda function, optionally with a version or an alias. */
  readonly functionName: string;
  readonly payload: Query;
  /** Whether the task ends as soon as Lambda has queued the call. */
  readonly isAsynchronous: boolean;
  readonly timeoutSeconds: Query | undefined;
}

export interface ParallelState extends Named, Transition, StateExit, ErrorHandling {
  readonly type: 'Parallel';
  readonly branches: readonly StateGraph[];
  /** If absent, each branch gets the state's input. */
  readonly arguments: Query | undefined;
}

export interface MapState extends Named, Transition, StateExit, ErrorHandling {
  readonly type: 'Map';
  readonly mode: 'INLINE';
  readonly processor: StateGraph;
  /** If absent, the state's input is the array. */
  readonly items: Query | undefined;
  /** If absent, each iteration gets its item. */
  readonly itemSelector: Query | undefined;
  readonly maxConcurrency: Query | undefined;
}

/** A Map whose items come from S3 and whose iterations are Express executions of their own. */
export interface DistributedMapState extends Named, Transition, StateExit, ErrorHandling {
  readonly type: 'Map';
  readonly mode: 'DISTRIBUTED';
  readonly processor: StateGraph;
  /** In the ARNs of Map Runs and children. */
  readonly label: string;
  readonly reader: ItemReader;
  readonly itemSelector: Query | undefined;
  /** If absent, each child gets one item. */
  readonly batcher: ItemBatcher | undefined;
  readonly maxConcurrency: Query | undefined;
  readonly toleratedFailureCount: Query | undefined;
  readonly toleratedFailurePercentage: Query | undefined;
  readonly writer: { readonly bucket: Query; readonly prefix: Query };
}

export type FileFormat = 'inventory' | 'jsonLines' | 'jsonArray' | 'csv' | 'parquet';

/** Where the items are: the objects below a prefix, what is in a file, or what is in all files below a prefix. */
export interface ItemReader {
  readonly format: 'objects' | FileFormat;
  /** The argument that has the location. `objects` are located by a prefix. */
  readonly locatedBy: 'Prefix' | 'Key';
  readonly bucket: Query;
  readonly location: Query;
}

export interface ItemBatcher {
  readonly maxItems: Query | undefined;
  readonly maxBytes: Query | undefined;
  readonly batchInput: Query | undefined;
}

export interface ChoiceState extends Named, StateExit {
  readonly type: 'Choice';
  readonly choices: readonly ChoiceRule[];
  readonly default: string | undefined;
}

export interface ChoiceRule extends StateExit {
  readonly condition: Query;
  readonly next: string;
}

export interface PassState extends Named, Transition, StateExit {
  readonly type: 'Pass';
}

export interface WaitState extends Named, Transition, StateExit {
  readonly type: 'Wait';
  readonly seconds: Query;
}

interface SucceedState extends Named {
  readonly type: 'Succeed';
  readonly output: Query | undefined;
}

interface FailState extends Named {
  readonly type: 'Fail';
  readonly error: Query | undefined;
  readonly cause: Query | undefined;
}

export interface Retrier {
  readonly errorEquals: readonly string[];
  readonly intervalSeconds: number;
  readonly maxAttempts: number;
  readonly backoffRate: number;
  readonly maxDelaySeconds: number | undefined;
  readonly jitterStrategy: 'FULL' | 'NONE';
}

export interface Catcher extends StateExit {
  readonly errorEquals: readonly string[];
  readonly next: string;
}

/** All states, including those of branches and iterations. */
export function* allStates(graph: StateGraph): Generator<State> {
  for (const state of graph.states.values()) {
    yield state;
    if (state.type === 'Map') yield* allStates(state.processor);
    if (state.type === 'Parallel') for (const branch of state.branches) yield* allStates(branch);
  }
}
