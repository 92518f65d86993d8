/** Runs the states of a validated definition one after the other, and branches and iterations concurrently. */
import { jsonSize, type Json, type JsonObject } from '../json';
import { branches, Children, concurrency, iterations } from './children';
import type * as asl from './definition';
import { MapRun } from './distributed/map-run';
import { ERROR, matches, StateError } from './state-error';
import type { HistoryEventType } from './history';
import { MAX_WAIT_SECONDS } from './limits';
import { retryDelay } from './retries';
import type { EventDetail, RunOptions } from './run-options';
import { attemptTask } from './task';
import { type Outcome, type StartedChildren, Visit } from './visit';

/** The next state and its input; without a next state, the output of the run. */
interface Step {
  readonly next: string | undefined;
  readonly output: Json;
}

/** What a run takes over from the state that contains it. */
interface Surroundings {
  /** Variables of the enclosing states. A branch can read them; no state assigns them while branches run. */
  readonly variables: ReadonlyMap<string, Json>;
  /** Fields of the context object, such as `Map`. */
  readonly context: JsonObject;
}

const NO_SURROUNDINGS: Surroundings = { variables: new Map(), context: {} };

/**
 * A run through the states of the machine, of a branch or of an iteration. After a failure it stays where it is, with its
 * variables, so that a redrive can continue it.
 */
export class Run {
  private readonly assigned = new Map<string, Json>();
  private step: Step;
  private visit: Visit | undefined;

  constructor(
    private readonly graph: asl.StateGraph,
    input: Json,
    private options: RunOptions,
    private readonly surroundings: Surroundings = NO_SURROUNDINGS,
  ) {
    this.step = { next: graph.startAt, output: input };
  }

  /** Continues from where the run is. Resolves to its output. Rejects with a `StateError` when it fails. */
  async advance(options: RunOptions): Promise<Json> {
    this.options = options;
    while (this.step.next !== undefined) {
      options.environment.signal.throwIfAborted();
      this.visit ??= await this.enter(this.step.next, this.step.output);
      const { state } = this.visit;
      this.step = await this.perform(state, this.visit);
      this.visit = undefined;
      this.trace(state, { type: 'StateExited' });
    }
    return this.step.output;
  }

  /**
   * Prepares the run to continue after a failure. Retries are counted anew. Only a Fail state is entered again.
   * https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html#redrive-behavior-states
   */
  rewind(): void {
    if (this.visit === undefined) return;
    this.visit.retryCount = 0;
    this.visit.children?.rewind();
    if (this.visit.state.type === 'Fail') this.visit = undefined;
  }

  private async enter(name: string, input: Json): Promise<Visit> {
    const state = this.graph.states.get(name);
    // Validation has checked that every target exists.
    if (state === undefined) throw new Error(`no state '${name}'`);
    const { clock, signal, transitionMs } = this.options.environment;
    if (transitionMs !== undefined) await clock.sleep(transitionMs(jsonSize(input)), signal);
    this.record(`${state.type}StateEntered`, () => ({ name, input: JSON.stringify(input) }));
    this.trace(state, { type: 'StateEntered' });
    return new Visit(state, input, { time: clock.now(), eventId: this.options.history.count }, this);
  }

  private async perform(state: asl.State, visit: Visit): Promise<Step> {
    switch (state.type) {
      case 'Task':
        return this.withErrorHandling(state, visit, () => attemptTask(state, visit, this.options, this));
      case 'Parallel':
      case 'Map':
        return this.withErrorHandling(state, visit, () => this.runChildren(state, visit));
      case 'Choice':
        return this.choose(state, visit);
      case 'Wait':
        await this.wait(state, visit);
        return this.leave(state, visit);
      case 'Pass':
        return this.leave(state, visit);
      case 'Succeed':
        return this.leave({ output: state.output, assign: [], next: undefined }, visit);
      case 'Fail':
        throw new StateError(await visit.text(state.error, 'Error'), await visit.text(state.cause, 'Cause'));
    }
  }

  private async withErrorHandling(
    state: asl.RetryableState,
    visit: Visit,
    attempt: () => Promise<Json>,
  ): Promise<Step> {
    const { clock, random, signal, retryPauses } = this.options.environment;
    const attempts = new Map<asl.Retrier, number>();
    for (let count = 1; ; count++) {
      try {
        return await this.leave(state, visit, await attempt());
      } catch (error) {
        if (!(error instanceof StateError)) throw error;
        const delaySeconds = retryDelay(state.retry, attempts, error.error, random);
        if (delaySeconds === undefined) return await this.recover(state, visit, error);
        visit.retryCount = count;
        this.trace(state, { type: 'TaskRetried', attempt: count, delaySeconds });
        await clock.sleep(delaySeconds * 1000 * retryPauses, signal);
        // A retry runs all branches and iterations again, unlike a redrive.
        visit.children = undefined;
      }
    }
  }

  private async runChildren(state: asl.CompositeState, visit: Visit): Promise<Json> {
    const children = (visit.children ??= await this.startChildren(state, visit));
    const result = await children.finish(this.options);
    this.record(`${state.type}StateSucceeded`);
    return visit.limited(result);
  }

  private async startChildren(state: asl.CompositeState, visit: Visit): Promise<StartedChildren> {
    if (state.type === 'Map' && state.mode === 'DISTRIBUTED') {
      // That the length is 0 is believed: the items are not read yet.
      this.record('MapStateStarted', () => ({ length: 0 }));
      return await MapRun.create(state, visit, this.options);
    }
    const variables = this.variables();
    const isMap = state.type === 'Map';
    const maxConcurrency = isMap ? await concurrency(state, visit) : Infinity;
    const children = isMap ? await iterations(state, visit) : await branches(state, visit);
    if (isMap) this.record('MapStateStarted', () => ({ length: children.length }));
    else this.record('ParallelStateStarted');
    const create = children.map(({ graph, input, context: own }) => () => {
      const context = { ...this.surroundings.context, ...own };
      return new Run(graph, input, this.options, { variables, context });
    });
    return new Children(create, maxConcurrency);
  }

  private async choose(state: asl.ChoiceState, visit: Visit): Promise<Step> {
    for (const [at, rule] of state.choices.entries()) {
      if (!(await visit.boolean(rule.condition, `Choices[${at}]/Condition`))) continue;
      return this.leave(rule, visit);
    }
    if (state.default !== undefined) return this.leave({ ...state, next: state.default }, visit);
    // The documented name. Some report States.Runtime on AWS, with this reason.
    throw visit.error(
      ERROR.noChoiceMatched,
      'Failed to transition out of the state. The state does not point to a next state.',
    );
  }

  /** https://docs.aws.amazon.com/step-functions/latest/dg/state-wait.html */
  private async wait(state: asl.WaitState, visit: Visit): Promise<void> {
    const { clock, signal } = this.options.environment;
    const seconds = await visit.integer(state.seconds, 'Seconds', { from: 0, to: MAX_WAIT_SECONDS });
    if (seconds > 0) await clock.sleep(seconds * 1000, signal);
  }

  private async recover(state: asl.RetryableState, visit: Visit, error: StateError): Promise<Step> {
    if (state.type !== 'Task') this.record(`${state.type}StateFailed`);
    const catcher = state.catch.find(({ errorEquals }) => matches(errorEquals, error.error));
    if (catcher === undefined) throw error;
    const errorOutput = { Error: error.error ?? '', Cause: error.cause ?? '' };
    const exit = await this.evaluateExit(catcher, visit, { errorOutput }, errorOutput);
    return this.exit(catcher.next, visit, exit);
  }

  /** @param result of a Task, a Parallel or a Map */
  private async leave(exit: asl.StateExit & asl.Transition, visit: Visit, result?: Json): Promise<Step> {
    const outcome = result === undefined ? {} : { result };
    return this.exit(exit.next, visit, await this.evaluateExit(exit, visit, outcome, result ?? visit.input));
  }

  /** Evaluates the output and all assignments with the old values of the variables. */
  private async evaluateExit(exit: asl.StateExit, visit: Visit, outcome: Outcome, result: Json) {
    const output = exit.output === undefined ? result : await visit.evaluate(exit.output, outcome);
    const assigned: [string, Json][] = [];
    for (const [name, query] of exit.assign) {
      assigned.push([name, await visit.evaluate(query, outcome)]);
    }
    // The limit of one variable is also that of all variables of one Assign.
    visit.limited(Object.fromEntries(assigned));
    return { output: visit.limited(output), assigned };
  }

  private exit(
    next: string | undefined,
    { state }: Visit,
    { output, assigned }: { readonly output: Json; readonly assigned: readonly [string, Json][] },
  ): Step {
    this.record(`${state.type}StateExited`, () => ({ name: state.name, output: JSON.stringify(output) }));
    for (const [name, value] of assigned) this.assigned.set(name, value);
    return { next, output };
  }

  context(): JsonObject {
    return { ...this.options.context, ...this.surroundings.context };
  }

  variables(): ReadonlyMap<string, Json> {
    return new Map([...this.surroundings.variables, ...this.assigned]);
  }

  private record(type: HistoryEventType, details?: () => JsonObject): void {
    this.options.history.append(type, details);
  }

  trace(state: asl.State, detail: EventDetail): void {
    const { environment, context } = this.options;
    environment.trace({
      time: environment.clock.now(),
      executionArn: context.Execution.Id,
      state: state.name,
      ...detail,
    });
  }
}
