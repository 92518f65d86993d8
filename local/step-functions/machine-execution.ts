/** An execution of a state machine: its status, its history, and its attempts, of which a redrive adds one. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Json, JsonObject } from '../json';
import type { StateMachineResource } from '../cloudformation/resources';
import { within } from './clock';
import type { Definition } from './definition';
import type { MapRunProgress } from './distributed/map-run-progress';
import { ERROR, StateError } from './state-error';
import type { ExecutionResult } from './execution';
import { History } from './history';
import { Run } from './interpreter';
import { LinkedAbort } from '../../client/run/wait';
import { MAX_EXPRESS_SECONDS, MAX_HISTORY_EVENTS } from './limits';
import type { ChildStart, Environment, RunOptions } from './run-options';

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

interface ExecutionInit {
  readonly arn: string;
  readonly name: string;
  readonly input: Json;
  /** The input as the caller wrote it. */
  readonly inputText: string;
  /** The state machine when the execution started. Later deployments do not change it. */
  readonly resource: StateMachineResource;
  readonly definition: Definition;
}

/** How an attempt ended. `error` and `cause` are absent if nobody names them. */
interface End {
  readonly status: Exclude<ExecutionStatus, 'RUNNING'>;
  readonly time: number;
  readonly output?: Json;
  readonly error?: string | undefined;
  readonly cause?: string | undefined;
}

export class MachineExecution {
  readonly startTime: number;
  readonly history: History;
  redriveCount = 0;
  /** Epoch milliseconds of the last redrive. */
  redriveTime: number | undefined;
  /** Resolves when the current attempt ends. Rejects with the environment's reason if that ends it. */
  result: Promise<ExecutionResult>;

  /** How the last attempt ended; `undefined` while the execution runs. */
  end: End | undefined;
  readonly mapRuns: MapRunProgress[] = [];

  /** The trace of all its calls: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader */
  private readonly trace: string;
  private readonly run: Run;
  private stop: LinkedAbort;

  constructor(
    readonly init: ExecutionInit,
    private readonly environment: Environment,
  ) {
    const now = (): number => environment.clock.now();
    this.startTime = now();
    const seconds = Math.floor(this.startTime / 1000).toString(16);
    this.trace = `1-${seconds.padStart(8, '0')}-${randomBytes(12).toString('hex')}`;
    this.history = new History(now, init.resource.type === 'STANDARD');
    this.stop = new LinkedAbort(environment.signal);
    const { roleArn } = init.resource;
    this.history.append('ExecutionStarted', () => ({ input: init.inputText, roleArn }));
    this.run = new Run(init.definition, init.input, this.runOptions());
    this.result = this.begin();
  }

  get status(): ExecutionStatus {
    return this.end?.status ?? 'RUNNING';
  }

  /**
   * Ends the execution as `ABORTED`, unless it has ended. Resolves to the time of its end, in epoch milliseconds.
   * https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html
   */
  async abort(reason: Pick<End, 'error' | 'cause'>): Promise<number> {
    this.stop.abort(new Ended({ status: 'ABORTED', ...reason }));
    await this.result;
    return this.end?.time ?? this.environment.clock.now();
  }

  /**
   * Why the execution cannot be redriven; `undefined` if it can.
   * https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
   */
  notRedrivable(): string | undefined {
    if (this.end === undefined) return 'Execution is RUNNING and cannot be redriven';
    if (this.end.status === 'SUCCEEDED') return 'Execution is SUCCEEDED and cannot be redriven';
    if (this.history.events.length >= MAX_HISTORY_EVENTS - 1) return 'Execution history event limit exceeded';
    return undefined;
  }

  /**
   * Continues the execution from the states that failed, with their inputs and variables. Returns the time of the redrive.
   * Call it only if the execution is redrivable.
   * https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
   */
  redrive(): number {
    const time = this.environment.clock.now();
    this.redriveCount++;
    this.redriveTime = time;
    this.end = undefined;
    this.stop = new LinkedAbort(this.environment.signal);
    const { redriveCount } = this;
    this.history.append('ExecutionRedriven', () => ({ redriveCount }));
    this.run.rewind();
    this.result = this.begin();
    return time;
  }

  private begin(): Promise<ExecutionResult> {
    const result = this.attempt();
    // A caller need not wait for the result. Mark the rejection as handled, which comes when the environment ends.
    result.catch(() => undefined);
    return result;
  }

  private async attempt(): Promise<ExecutionResult> {
    const options = this.runOptions();
    const { clock } = this.environment;
    const { signal } = options.environment;
    const run = this.run.advance(options);
    let end: Omit<End, 'time'>;
    try {
      const output = await within(clock, this.timeoutSeconds(), signal, run, () => this.timedOut());
      end = { status: 'SUCCEEDED', output };
    } catch (error) {
      // No further state must run, and the run must stand still before a redrive continues it.
      this.stop.abort(error);
      await Promise.allSettled([run]);
      end = endedBy(error);
    } finally {
      this.stop.unlink();
    }
    return this.finish({ ...end, time: clock.now() });
  }

  private finish(end: End): ExecutionResult {
    this.end = end;
    const { status, output = null, error, cause } = end;
    const executionArn = this.init.arn;
    if (status === 'SUCCEEDED') {
      this.history.add('ExecutionSucceeded', () => ({ output: JSON.stringify(output) }));
      return { status, executionArn, output };
    }
    const details = (): JsonObject => ({ error, cause });
    if (status === 'TIMED_OUT') this.history.add('ExecutionTimedOut');
    else this.history.add(status === 'FAILED' ? 'ExecutionFailed' : 'ExecutionAborted', details);
    return { status, executionArn, error: error ?? '', cause: cause ?? '' };
  }

  private runOptions(): RunOptions {
    const { environment, stop, trace } = this;
    // The local cloud keeps no traces, so nobody samples them. Functions can still log the id.
    const header = (): string => `Root=${trace};Parent=${randomBytes(8).toString('hex')};Sampled=0`;
    return {
      context: this.context(),
      history: this.history,
      mapRuns: this.mapRuns,
      startChild: (child) => this.startChild(child),
      environment: {
        ...environment,
        signal: stop.signal,
        invoke: (functionName, payload) => environment.invoke(functionName, payload, header()),
        invokeLater: (functionName, payload) => environment.invokeLater(functionName, payload, header()),
      },
    };
  }

  /** https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html */
  private startChild({ label, graph, input, signal }: ChildStart): MachineExecution {
    const { environment } = this;
    const { arn: machineArn, name: machineName, ...machine } = this.init.resource;
    const arn = `${machineArn}/${label}`;
    const name = randomUUID();
    const init: ExecutionInit = {
      arn: `${arn.replace(':stateMachine:', ':express:')}:${name}:${randomUUID()}`,
      name,
      input,
      inputText: JSON.stringify(input),
      resource: { ...machine, arn, name: `${machineName}/${label}`, type: 'EXPRESS' },
      definition: { ...graph, timeoutSeconds: undefined },
    };
    const { childTransitionMs: transitionMs } = environment;
    return new MachineExecution(init, { ...environment, signal, transitionMs });
  }

  private timeoutSeconds(): number | undefined {
    const { timeoutSeconds } = this.init.definition;
    const { timeouts } = this.environment;
    if (this.init.resource.type === 'STANDARD') return timeoutSeconds && timeoutSeconds * timeouts;
    return Math.min(timeoutSeconds ?? Infinity, MAX_EXPRESS_SECONDS) * timeouts;
  }

  private timedOut(): Ended {
    const { timeouts } = this.environment;
    const factor = timeouts === 1 ? '' : `, ${timeouts} times the timeout of its state machine`;
    const cause = `the execution took longer than ${this.timeoutSeconds()} seconds${factor}: raise the state machine's timeout, or set the option timeouts of LocalCloud if this machine is slow`;
    return new Ended({ status: 'TIMED_OUT', error: ERROR.timeout, cause });
  }

  /** https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html */
  private context(): RunOptions['context'] {
    const { arn, name, input, resource } = this.init;
    const redriven: JsonObject =
      this.redriveTime === undefined ? {} : { RedriveTime: new Date(this.redriveTime).toISOString() };
    return {
      Execution: {
        Id: arn,
        Input: input,
        Name: name,
        ...(resource.roleArn !== undefined && { RoleArn: resource.roleArn }),
        StartTime: new Date(this.startTime).toISOString(),
        RedriveCount: this.redriveCount,
        ...redriven,
      },
      StateMachine: { Id: resource.arn, Name: resource.name },
    };
  }
}

function endedBy(error: unknown): Omit<End, 'time'> {
  if (error instanceof Ended) return error.end;
  if (error instanceof StateError) return { status: 'FAILED', error: error.error, cause: error.cause };
  throw error;
}

/** The execution has been ended from outside of its states. */
class Ended extends Error {
  constructor(readonly end: Omit<End, 'time'>) {
    super(end.status);
  }
}
