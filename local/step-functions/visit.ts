/** A state that a run has entered and not left: evaluates the state's fields and names the state in their failures. */
import { isJsonArray, jsonSize, type Json, type JsonObject } from '../json';
import type { State } from './definition';
import { ERROR, EvaluationError, StateError } from './state-error';
import { MAX_STATE_BYTES } from './limits';
import type { RunOptions } from './run-options';
import { type Query, type Scope, typeOf, unexpectedType } from './query';

/** What a visit needs of its run. */
interface Frame {
  context(): JsonObject;
  variables(): ReadonlyMap<string, Json>;
}

/** The branches of a Parallel, or the iterations of a Map, once they have started. */
export interface StartedChildren {
  /** Runs those that have not succeeded. */
  finish(options: RunOptions): Promise<Json>;
  /** Prepares those that have not succeeded to run again. */
  rewind(): void;
}

/** What a state's `Output` and `Assign` can read besides its input. */
export interface Outcome {
  readonly result?: Json;
  readonly errorOutput?: Json;
}

export class Visit {
  retryCount = 0;
  /** Set once a Parallel or a Map has started. They stay when it fails, so that a redrive can continue them. */
  children: StartedChildren | undefined;

  constructor(
    readonly state: State,
    readonly input: Json,
    private readonly entered: { readonly time: number; readonly eventId: number },
    private readonly frame: Frame,
  ) {}

  /**
   * Evaluates a field of the state. A failure is an error of the state, so that a Task's, a Parallel's or a Map's Retry and
   * Catch apply to it, whichever of the state's fields failed: observed on AWS for `Arguments` and `Output`.
   * https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
   */
  async evaluate(query: Query, outcome: Outcome = {}, context: JsonObject = {}): Promise<Json> {
    return await this.check(() => query.evaluate(this.scope(outcome, context)));
  }

  async text(query: Query | undefined, field: string): Promise<string | undefined> {
    return query && ((await this.typed(query, field, 'string')) as string);
  }

  async array(query: Query | undefined, field: string): Promise<readonly Json[]> {
    if (query !== undefined) return (await this.typed(query, field, 'array')) as readonly Json[];
    const { input } = this;
    if (isJsonArray(input)) return input;
    return this.fail(`Map state input must be an array but was: ${JSON.stringify(input)}`);
  }

  async boolean(query: Query, field: string): Promise<boolean> {
    return (await this.typed(query, field, 'boolean')) as boolean;
  }

  async integer(
    query: Query,
    field: string,
    { from, to }: { readonly from: number; readonly to: number },
  ): Promise<number> {
    const value = (await this.typed(query, field, 'number')) as number;
    if (Number.isInteger(value) && value >= from && value <= to) return value;
    return this.fail(`The field '${field}' expects an integer from ${from} to ${to}, got ${value}`);
  }

  /** An error of the state whose cause names the state, as those of Step Functions itself do. */
  error(error: string, reason: string): StateError {
    const { name } = this.state;
    return new StateError(
      error,
      `An error occurred while executing the state '${name}' (entered at the event id #${this.entered.eventId}). ${reason}`,
    );
  }

  /**
   * Returns the value if it is small enough. The words of the error are those of Step Functions, which names the service for the
   * result of a task: https://github.com/jogold/cloudstructs/issues/163
   */
  limited(value: Json, source: string = this.state.name): Json {
    if (jsonSize(value) <= MAX_STATE_BYTES) return value;
    throw new StateError(
      ERROR.dataLimitExceeded,
      `The state/task '${source}' returned a result with a size exceeding the maximum number of bytes service limit.`,
    );
  }

  private async typed(query: Query, field: string, expected: string): Promise<Json> {
    return await this.check(async () => {
      const value = await query.evaluate(this.scope({}, {}));
      if (typeOf(value) === expected) return value;
      throw unexpectedType(query, field, expected, value);
    });
  }

  private async check<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      return this.fail(error.message);
    }
  }

  private fail(reason: string): never {
    throw this.error(ERROR.queryEvaluation, reason);
  }

  private scope(outcome: Outcome, more: JsonObject): Scope {
    const State = {
      EnteredTime: new Date(this.entered.time).toISOString(),
      Name: this.state.name,
      RetryCount: this.retryCount,
    };
    const context = { ...this.frame.context(), ...more, State };
    return { states: { input: this.input, context, ...outcome }, variables: this.frame.variables() };
  }
}
