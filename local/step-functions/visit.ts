/** A state that a run has entered and not left: evaluates the state's fields and names the state in their failures. */
import { isJsonArray, jsonSize, type Json, type JsonObject } from '../json';
import type { Children } from './children';
import type { State } from './definition';
import { ERROR, EvaluationError, StateError } from './state-error';
import { MAX_STATE_BYTES } from './limits';
import { evaluate, type Query, type Scope, unexpectedType } from './query';

/** RFC 3339 with an uppercase `T` and `Z`, which Step Functions requires. */
const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/** What a visit needs of its run. */
interface Frame {
  context(): JsonObject;
  variables(): ReadonlyMap<string, Json>;
}

/** What a state's `Output` and `Assign` can read besides its input. */
export interface Outcome {
  readonly result?: Json;
  readonly errorOutput?: Json;
}

export class Visit {
  retryCount = 0;
  /** Set once a Parallel or a Map has started. They stay when it fails, so that a redrive can continue them. */
  children: Children | undefined;

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
    return await this.check(() => evaluate(query, this.scope(outcome, context)));
  }

  async text(query: Query | undefined, field: string): Promise<string | undefined> {
    return query && (await this.typed(query, field, 'string', asString));
  }

  async array(query: Query | undefined, field: string): Promise<readonly Json[]> {
    if (query !== undefined) {
      return await this.typed(query, field, 'array', (value) => (isJsonArray(value) ? value : undefined));
    }
    return await this.check(() => {
      if (isJsonArray(this.input)) return this.input;
      const got = JSON.stringify(this.input);
      throw new EvaluationError(`Map state input must be an array but was: ${got}`);
    });
  }

  async boolean(query: Query, field: string): Promise<boolean> {
    return await this.typed(query, field, 'boolean', (value) =>
      typeof value === 'boolean' ? value : undefined,
    );
  }

  async integer(
    query: Query,
    field: string,
    { from, to }: { readonly from: number; readonly to: number },
  ): Promise<number> {
    return await this.typed(query, field, 'number', (value) => {
      if (typeof value !== 'number') return undefined;
      if (Number.isInteger(value) && value >= from && value <= to) return value;
      const expected = `expects an integer from ${from} to ${to}, got ${value}`;
      throw new EvaluationError(`The field '${field}' ${expected}`);
    });
  }

  /** Epoch milliseconds. */
  async timestamp(query: Query, field: string): Promise<number> {
    return await this.typed(query, field, 'string', (value) => {
      if (typeof value !== 'string') return undefined;
      const time = TIMESTAMP.test(value) ? Date.parse(value) : NaN;
      if (!Number.isNaN(time)) return time;
      const expected = `expects a timestamp such as 2026-01-02T03:04:05Z, got '${value}'`;
      throw new EvaluationError(`The field '${field}' ${expected}`);
    });
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

  /** @param convert returns `undefined` for a value of another type than expected */
  private async typed<T>(
    query: Query,
    field: string,
    expected: string,
    convert: (value: Json) => T | undefined,
  ): Promise<T> {
    return await this.check(async () => {
      const value = await evaluate(query, this.scope({}, {}));
      const converted = convert(value);
      if (converted === undefined) throw unexpectedType(query, field, expected, value);
      return converted;
    });
  }

  private async check<T>(work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      throw this.error(ERROR.queryEvaluation, error.message);
    }
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

function asString(value: Json): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
