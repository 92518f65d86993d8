/** Runs the states of a validated definition one after the other, and branches concurrently. */
import { jsonSize, type Json, type JsonObject } from '../basics/json';
import { type Clock, within } from './clock';
import type {
  Catcher,
  Definition,
  StateExit,
  ParallelState,
  State,
  StateGraph,
  TaskState,
} from './definition';
import { ERROR, matches, StateError } from './errors';
import type { TraceEvent } from './execution';
import { MAX_STATE_BYTES } from './limits';
import { evaluate, type Query, type Scope } from './query';
import { Retries } from './retries';

/** Calls a Lambda function; rejects with a `StateError` when it fails. */
export type InvokeTask = (functionName: string, payload: Json) => Promise<TaskResult>;

export interface TaskResult {
  readonly payload: Json;
  readonly executedVersion: string;
}

type EventDetail<T = TraceEvent> = T extends TraceEvent ? Omit<T, 'time' | 'executionArn' | 'state'> : never;

interface RunOptions {
  /** The context object without its `State`. */
  readonly context: JsonObject & { readonly Execution: { readonly Id: string } };
  readonly environment: {
    readonly invoke: InvokeTask;
    readonly clock: Clock;
    readonly random: () => number;
    readonly signal: AbortSignal;
    /** Milliseconds that a state transition takes. */
    readonly transitionMs: number;
    readonly trace: (event: TraceEvent) => void;
  };
}

/** Resolves to the execution's output. Rejects with a `StateError` when it fails. */
export async function runStates(definition: Definition, input: Json, options: RunOptions): Promise<Json> {
  return await new Run(options, new Map()).through(definition, input);
}

/** The next state and its input; without a next state, the output of the execution. */
interface Step {
  readonly next: string | undefined;
  readonly output: Json;
}

interface Visit {
  readonly state: State;
  readonly input: Json;
  readonly enteredTime: number;
  retryCount: number;
}

/** A run through the states of the machine, or of a branch. */
class Run {
  private readonly variables = new Map<string, Json>();

  constructor(
    private readonly options: RunOptions,
    /** Variables of the enclosing states. A branch can read them; no state assigns them while branches run. */
    private readonly outer: ReadonlyMap<string, Json>,
  ) {}

  async through(graph: StateGraph, input: Json): Promise<Json> {
    let step: Step = { next: graph.startAt, output: input };
    while (step.next !== undefined) {
      this.options.environment.signal.throwIfAborted();
      const state = graph.states.get(step.next);
      // Validation has checked that every target exists.
      if (state === undefined) throw new Error(`no state '${step.next}'`);
      step = await this.enter(state, step.output);
    }
    return step.output;
  }

  private async enter(state: State, input: Json): Promise<Step> {
    const { clock, signal, transitionMs } = this.options.environment;
    if (transitionMs > 0) await clock.sleep(transitionMs, signal);
    const visit = { state, input, enteredTime: clock.now(), retryCount: 0 };
    this.trace(state, { type: 'StateEntered' });
    const step = await this.visit(visit);
    this.trace(state, { type: 'StateExited' });
    return step;
  }

  private async visit(visit: Visit): Promise<Step> {
    const { state, input } = visit;
    switch (state.type) {
      case 'Task':
        return this.withErrorHandling(state, visit, () => this.attempt(state, visit));
      case 'Parallel':
        return this.withErrorHandling(state, visit, () => this.branches(state, visit));
      case 'Pass':
        return this.leave(state, state.next, this.scope(visit), input);
      case 'Succeed':
        return this.leave({ output: state.output, assign: [] }, undefined, this.scope(visit), input);
      case 'Fail':
        throw new StateError(
          await this.text(state.error, this.scope(visit)),
          await this.text(state.cause, this.scope(visit)),
        );
    }
  }

  private async withErrorHandling(
    state: TaskState | ParallelState,
    visit: Visit,
    attempt: () => Promise<Step>,
  ): Promise<Step> {
    const { clock, random, signal } = this.options.environment;
    const retries = new Retries(state.retry, random);
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof StateError)) throw error;
        const delaySeconds = retries.next(error.error);
        if (delaySeconds === undefined) return await this.recover(state, visit, error);
        visit.retryCount = retries.count;
        this.trace(state, { type: 'TaskRetried', attempt: retries.count, delaySeconds });
        await clock.sleep(delaySeconds * 1000, signal);
      }
    }
  }

  private async attempt(state: TaskState, visit: Visit): Promise<Step> {
    const { invoke, clock, signal } = this.options.environment;
    const attempt = visit.retryCount;
    const scope = this.scope(visit);
    const payload = limited(await evaluate(state.payload, scope), `the payload of the task '${state.name}'`);
    const timeout = await this.seconds(state.timeoutSeconds, scope);
    this.trace(state, { type: 'TaskStarted', attempt });
    let result: Json;
    try {
      const answer = await within(clock, timeout, signal, invoke(state.functionName, payload), () => {
        return new StateError(
          ERROR.timeout,
          `the task '${state.name}' took longer than ${timeout ?? 0} seconds`,
        );
      });
      result = { ExecutedVersion: answer.executedVersion, Payload: answer.payload, StatusCode: 200 };
      limitedResult(result, 'lambda');
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      this.trace(state, { type: 'TaskFailed', attempt, error: error.error ?? '', cause: error.cause ?? '' });
      throw error;
    }
    this.trace(state, { type: 'TaskSucceeded', attempt });
    return this.leave(state, state.next, this.scope(visit, { result }), result);
  }

  /** The outputs of all branches, in their order. The first branch that fails stops the others. */
  private async branches(state: ParallelState, visit: Visit): Promise<Step> {
    const { environment } = this.options;
    const stop = new AbortController();
    const options = {
      ...this.options,
      environment: { ...environment, signal: AbortSignal.any([environment.signal, stop.signal]) },
    };
    const scope = this.scope(visit);
    const input = state.arguments === undefined ? visit.input : await evaluate(state.arguments, scope);
    const runs = state.branches.map((branch) => new Run(options, scope.variables).through(branch, input));
    let result: Json;
    try {
      result = limitedResult(await Promise.all(runs), state.name);
    } finally {
      stop.abort(new BranchStopped());
      // The abort ends the other branches. Ignore their failures: the first one is reported.
      await Promise.allSettled(runs);
    }
    return this.leave(state, state.next, this.scope(visit, { result }), result);
  }

  private recover(state: TaskState | ParallelState, visit: Visit, error: StateError): Promise<Step> {
    const catcher = state.catch.find(({ errorEquals }: Catcher) => matches(errorEquals, error.error));
    if (catcher === undefined) throw error;
    const errorOutput = { Error: error.error ?? '', Cause: error.cause ?? '' };
    return this.leave(catcher, catcher.next, this.scope(visit, { errorOutput }), errorOutput);
  }

  /** Evaluates the output and all assignments with the old values of the variables. */
  private async leave(exit: StateExit, next: string | undefined, scope: Scope, result: Json): Promise<Step> {
    const output = exit.output === undefined ? result : await evaluate(exit.output, scope);
    const assigned: [string, Json][] = [];
    for (const [name, query] of exit.assign) {
      assigned.push([name, limited(await evaluate(query, scope), `the variable '${name}'`)]);
    }
    limited(output, 'the output of the state');
    for (const [name, value] of assigned) this.variables.set(name, value);
    return { next, output };
  }

  private scope(visit: Visit, outcome: { readonly result?: Json; readonly errorOutput?: Json } = {}): Scope {
    const { state, input, enteredTime, retryCount } = visit;
    const State = {
      EnteredTime: new Date(enteredTime).toISOString(),
      Name: state.name,
      RetryCount: retryCount,
    };
    const context = { ...this.options.context, State };
    return { states: { input, context, ...outcome }, variables: new Map([...this.outer, ...this.variables]) };
  }

  private async text(query: Query | undefined, scope: Scope): Promise<string | undefined> {
    if (query === undefined) return undefined;
    const value = await evaluate(query, scope);
    if (typeof value === 'string') return value;
    throw new StateError(ERROR.queryEvaluation, `Error and Cause expect text, got ${JSON.stringify(value)}`);
  }

  private async seconds(query: Query | undefined, scope: Scope): Promise<number | undefined> {
    if (query === undefined) return undefined;
    const value = await evaluate(query, scope);
    if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
    throw new StateError(
      ERROR.queryEvaluation,
      `TimeoutSeconds expects a positive integer, got ${JSON.stringify(value)}`,
    );
  }

  private trace(state: State, detail: EventDetail): void {
    const { environment, context } = this.options;
    environment.trace({
      time: environment.clock.now(),
      executionArn: context.Execution.Id,
      state: state.name,
      ...detail,
    });
  }
}

/** Another branch of the same state has failed. */
class BranchStopped extends Error {
  constructor() {
    super('another branch has failed');
  }
}

function limited(value: Json, what: string): Json {
  const size = jsonSize(value);
  if (size <= MAX_STATE_BYTES) return value;
  throw new StateError(
    ERROR.dataLimitExceeded,
    `${what} must have at most ${MAX_STATE_BYTES} bytes, got ${size}`,
  );
}

/**
 * The words are those of Step Functions, which names the service that a task calls, and otherwise the state:
 * https://github.com/jogold/cloudstructs/issues/163, https://github.com/awslabs/aws-securityhub-multiaccount-scripts/issues/63
 */
function limitedResult(result: Json, source: string): Json {
  if (jsonSize(result) <= MAX_STATE_BYTES) return result;
  throw new StateError(
    ERROR.dataLimitExceeded,
    `The state/task '${source}' returned a result with a size exceeding the maximum number of bytes service limit.`,
  );
}
