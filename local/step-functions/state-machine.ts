/** A state machine that starts executions and, if it is a Standard one, keeps them. */
import { randomUUID } from 'node:crypto';
import { LocalCloudError } from '../local-cloud-error';
import { jsonSize, type Json } from '../json';
import type { StateMachineResource } from '../cloudformation/resources';
import { SYSTEM_CLOCK } from './clock';
import type { Definition } from './definition';
import { isExecutionName, MAX_EXECUTION_NAME, MAX_STATE_BYTES } from './limits';
import { MachineExecution } from './machine-execution';
import { parseDefinition } from './parse-definition';
import type { Environment } from './run-options';

type StateMachineOptions = Pick<Environment, 'invoke' | 'invokeLater'> &
  Partial<Omit<Environment, 'invoke' | 'invokeLater'>>;

interface StartOptions {
  readonly name?: string;
  /** The input as the caller wrote it. */
  readonly inputText?: string;
}

export class StateMachine {
  /** Standard executions by their ARN, in the order of their start. AWS forgets them 90 days after their end. */
  private readonly kept = new Map<string, MachineExecution>();
  private readonly environment: Environment;
  /** Epoch milliseconds. */
  readonly creationTime: number;

  constructor(
    public resource: StateMachineResource,
    options: StateMachineOptions,
    private definition: Definition = parseDefinition(resource.definition, resource.type),
  ) {
    const { clock = SYSTEM_CLOCK, random = Math.random, retryPauses = 1, timeouts = 1, ...rest } = options;
    const { trace = () => undefined, signal = new AbortController().signal } = options;
    this.environment = { ...rest, trace, clock, random, signal, retryPauses, timeouts };
    this.creationTime = clock.now();
  }

  get executions(): readonly MachineExecution[] {
    return [...this.kept.values()];
  }

  find(executionArn: string): MachineExecution | undefined {
    return this.kept.get(executionArn);
  }

  named(name: string): MachineExecution | undefined {
    return this.resource.type === 'STANDARD' ? this.find(this.executionArn(name)) : undefined;
  }

  /** Replaces the definition. Running executions continue with the definition that they started with. */
  update(resource: StateMachineResource, definition: Definition): void {
    this.resource = resource;
    this.definition = definition;
  }

  /** @throws LocalCloudError when the execution cannot start */
  start(input: Json, options: StartOptions = {}): MachineExecution {
    const { name = randomUUID(), inputText = JSON.stringify(input) } = options;
    this.checkStart(input, name);
    const execution = new MachineExecution(
      {
        ...{ arn: this.executionArn(name), name, input, inputText },
        ...{ resource: this.resource, definition: this.definition },
      },
      this.environment,
    );
    if (this.resource.type === 'STANDARD') this.kept.set(execution.init.arn, execution);
    return execution;
  }

  private checkStart(input: Json, name: string): void {
    if (!isExecutionName(name)) {
      throw new LocalCloudError(
        `an execution's name must have 1 to ${MAX_EXECUTION_NAME} characters without spaces and special ones, ` +
          `got '${name}': change it`,
      );
    }
    const size = jsonSize(input);
    if (size > MAX_STATE_BYTES) {
      throw new LocalCloudError(
        `an execution's input must have at most ${MAX_STATE_BYTES} bytes, got ${size}: put the tensors into the bucket`,
      );
    }
    // Express executions may share a name.
    if (this.named(name) !== undefined)
      throw new LocalCloudError(`an execution named '${name}' already exists: choose another name`);
  }

  private executionArn(name: string): string {
    const { arn, type } = this.resource;
    if (type === 'STANDARD') return `${arn.replace(':stateMachine:', ':execution:')}:${name}`;
    return `${arn.replace(':stateMachine:', ':express:')}:${name}:${randomUUID()}`;
  }
}
