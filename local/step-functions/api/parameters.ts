/** The parameters of a request, and what they name. Parameters that only shape an answer have no effect: answers have all data, on one page. */
import { isJsonObject, type JsonObject, parseJson } from '../../json';
import type { MapRunProgress } from '../distributed/map-run-progress';
import type { MachineExecution } from '../machine-execution';
import type { StateMachine } from '../state-machine';
import type { StateMachines } from '../state-machines';
import { ApiError } from './api-error';

export class Parameters {
  private readonly values: JsonObject;

  constructor(
    readonly machines: StateMachines,
    body: string,
  ) {
    const values = parseJson(body === '' ? '{}' : body);
    if (!isJsonObject(values)) throw new ApiError('SerializationException', 'the body is no JSON object');
    this.values = values;
  }

  /** @param most characters */
  text(name: string, most: number): string | undefined {
    const value = this.values[name] ?? undefined;
    if (value === undefined) return undefined;
    if (typeof value !== 'string') {
      throw new ApiError('SerializationException', `expected text as ${name}, got ${JSON.stringify(value)}`);
    }
    if (value.length > most) throw invalid(name, `Member must have length less than or equal to ${most}`);
    return value;
  }

  flag(name: string): boolean {
    return this.values[name] === true;
  }

  private arn(name: string, type: 'execution' | 'mapRun' | 'stateMachine'): string {
    const arn = this.text(name, 256);
    if (arn === undefined) throw invalid(name, 'Member must not be null');
    // The ARN of an Express execution is of the type express.
    if (new RegExp(`^arn:aws[\\w-]*:states:[\\w-]+:\\d{12}:${type}:[^:]`).test(arn)) return arn;
    throw new ApiError('InvalidArn', `Invalid Arn: '${arn}' is not that of a resource of type ${type}`);
  }

  /** @param how with `findStartable`, the parameter may also name an alias of the state machine */
  machine(how: 'find' | 'findStartable' = 'find'): StateMachine {
    const arn = this.arn('stateMachineArn', 'stateMachine');
    const machine = this.machines[how](arn);
    if (machine !== undefined) return machine;
    const refusal = this.machines.refusal(arn);
    const reason = refusal === undefined ? '' : `, because ${refusal}`;
    throw new ApiError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'${reason}`);
  }

  execution(): MachineExecution {
    const arn = this.arn('executionArn', 'execution');
    const found = this.machines.findExecution(arn);
    if (found !== undefined) return found;
    throw new ApiError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
  }

  mapRun(): MapRunProgress {
    const arn = this.arn('mapRunArn', 'mapRun');
    const found = this.machines.findMapRun(arn);
    if (found !== undefined) return found;
    throw new ApiError('ResourceNotFound', `Resource Not Found: '${arn}'`);
  }
}

function invalid(name: string, constraint: string): ApiError {
  return new ApiError(
    'ValidationException',
    `1 validation error detected: Value at '${name}' failed to satisfy constraint: ${constraint}`,
  );
}
