/** A state machine that runs executions: adds names, ARNs and time limits to the interpreter. */
import { randomUUID } from 'node:crypto';
import { LocalCloudError } from '../basics/errors';
import { jsonSize, type Json } from '../basics/json';
import type { StateMachineResource } from '../cloudformation/resources';
import { type Clock, SYSTEM_CLOCK, within } from './clock';
import type { Definition } from './definition';
import { ERROR, StateError } from './errors';
import type { ExecutionResult, TraceEvent } from './execution';
import { type InvokeTask, runStates } from './interpreter';
import { MAX_EXPRESS_SECONDS, MAX_STATE_BYTES } from './limits';
import { parseDefinition } from './parse-definition';

interface StateMachineOptions {
  readonly invoke: InvokeTask;
  readonly trace?: (event: TraceEvent) => void;
  readonly clock?: Clock;
  /** Uniform in [0, 1); for the jitter of retries. */
  readonly random?: () => number;
  /** Ends all executions with its reason. */
  readonly signal?: AbortSignal;
  /**
   * Milliseconds that a state transition takes.
   * @default 0
   */
  readonly transitionMs?: number;
}

/** A subset of the names that https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html allows. */
const EXECUTION_NAME = /^[\w-]{1,80}$/;

export class StateMachine {
  private readonly names = new Set<string>();

  constructor(
    private resource: StateMachineResource,
    private readonly options: StateMachineOptions,
    private definition: Definition = parseDefinition(resource.definition),
  ) {}

  /** Replaces the definition. Running executions continue with the definition that they started with. */
  update(resource: StateMachineResource, definition: Definition): void {
    this.resource = resource;
    this.definition = definition;
  }

  async execute(input: Json, name: string = randomUUID()): Promise<ExecutionResult> {
    this.checkStart(input, name);
    const { trace, clock = SYSTEM_CLOCK, random = Math.random, invoke, transitionMs = 0 } = this.options;
    const stop = new AbortController();
    const signal = AbortSignal.any([
      stop.signal,
      ...(this.options.signal === undefined ? [] : [this.options.signal]),
    ]);
    const executionArn = this.executionArn(name);
    const run = runStates(this.definition, input, {
      context: this.context(executionArn, name, input, clock.now()),
      environment: { invoke, clock, random, signal, transitionMs, trace: (event) => trace?.(event) },
    });
    try {
      const output = await within(clock, this.timeoutSeconds(), signal, run, () => new ExecutionTimeout());
      return { status: 'SUCCEEDED', executionArn, output };
    } catch (error) {
      if (error instanceof ExecutionTimeout) {
        return { status: 'TIMED_OUT', executionArn, error: ERROR.timeout, cause: error.message };
      }
      if (!(error instanceof StateError)) throw error;
      return { status: 'FAILED', executionArn, error: error.error ?? '', cause: error.cause ?? '' };
    } finally {
      // After a timeout, no further state must run.
      stop.abort();
    }
  }

  private checkStart(input: Json, name: string): void {
    if (!EXECUTION_NAME.test(name)) {
      throw new LocalCloudError(
        `an execution's name must have 1 to 80 letters, digits, '-' and '_', got '${name}': change it`,
      );
    }
    const size = jsonSize(input);
    if (size > MAX_STATE_BYTES) {
      throw new LocalCloudError(
        `an execution's input must have at most ${MAX_STATE_BYTES} bytes, got ${size}: put the tensors into the bucket`,
      );
    }
    // Express executions may share a name.
    if (this.resource.type === 'EXPRESS') return;
    if (this.names.has(name))
      throw new LocalCloudError(`an execution named '${name}' already exists: choose another name`);
    this.names.add(name);
  }

  private executionArn(name: string): string {
    const { arn, type } = this.resource;
    if (type === 'STANDARD') return `${arn.replace(':stateMachine:', ':execution:')}:${name}`;
    return `${arn.replace(':stateMachine:', ':express:')}:${name}:${randomUUID()}`;
  }

  private timeoutSeconds(): number | undefined {
    const { timeoutSeconds } = this.definition;
    if (this.resource.type === 'STANDARD') return timeoutSeconds;
    return Math.min(timeoutSeconds ?? Infinity, MAX_EXPRESS_SECONDS);
  }

  /** https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html */
  private context(executionArn: string, name: string, input: Json, now: number) {
    const { arn, roleArn } = this.resource;
    return {
      Execution: {
        Id: executionArn,
        Input: input,
        Name: name,
        ...(roleArn === undefined ? {} : { RoleArn: roleArn }),
        StartTime: new Date(now).toISOString(),
        RedriveCount: 0,
      },
      StateMachine: { Id: arn, Name: this.resource.name },
    };
  }
}

class ExecutionTimeout extends Error {
  constructor() {
    super('the execution took longer than its state machine allows');
  }
}
