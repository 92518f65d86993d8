/** The Lambda functions that a pipeline's tasks call, as Step Functions sees them. */
import { unsupported } from './errors';
import { isJsonObject, type Json } from './json';
import { type FunctionHost, FunctionPool, LambdaServiceError } from './lambda/function-pool';
import { findFunction, readFunction, versionOf } from './resources';
import type { Definition } from './step-functions/definition';
import { StateError } from './step-functions/errors';
import type { TaskResult } from './step-functions/interpreter';
import type { Template } from './template';

export interface WorkerProcess {
  readonly functionName: string;
  readonly logicalId: string;
  readonly pid: number;
  /** Whether it runs a call. */
  readonly busy: boolean;
}

export class LocalFunctions {
  private readonly pools = new Map<string, FunctionPool>();

  constructor(
    private readonly template: Template,
    private readonly host: FunctionHost,
  ) {}

  /** Reads the functions of all tasks, so that what is not supported is refused before a run. */
  prepare(definition: Definition): void {
    for (const state of definition.states.values()) {
      if (state.type !== 'Task' || this.pools.has(state.functionName)) continue;
      const resource = findFunction(this.template, state.functionName);
      if (resource === undefined) {
        throw unsupported(
          `the function ${state.functionName} of state '${state.name}'`,
          "use one of the pipeline's own stack",
        );
      }
      const fn = readFunction(this.template, resource);
      this.pools.set(state.functionName, new FunctionPool(fn, versionOf(state.functionName), this.host));
    }
  }

  /** A task: failures become errors of its state, with the function's whole answer as cause. */
  async invoke(functionArn: string, payload: Json): Promise<TaskResult> {
    const pool = this.pools.get(functionArn);
    if (pool === undefined) throw unsupported(`the function ${functionArn}`);
    const result = await this.call(pool, JSON.stringify(payload));
    const answer = parse(result.payload);
    if (result.functionError === undefined)
      return { payload: answer, executedVersion: result.executedVersion };
    const errorType = isJsonObject(answer) && typeof answer.errorType === 'string' ? answer.errorType : '';
    throw new StateError(errorType === '' ? 'Lambda.Unknown' : errorType, result.payload);
  }

  workers(): WorkerProcess[] {
    return [...this.pools.values()].flatMap((pool) => {
      const { name: functionName, logicalId } = pool.resource;
      return pool.processes().map((process) => ({ functionName, logicalId, ...process }));
    });
  }

  logs(): Map<string, string> {
    return new Map([...this.pools.values()].map((pool) => [pool.resource.name, pool.log.text()]));
  }

  kill(): void {
    for (const pool of this.pools.values()) pool.kill();
  }

  async close(): Promise<void> {
    await Promise.all([...this.pools.values()].map((pool) => pool.close()));
  }

  private async call(pool: FunctionPool, payload: string) {
    try {
      return await pool.invoke(payload);
    } catch (error) {
      if (error instanceof LambdaServiceError) throw new StateError(error.name, error.message);
      throw error;
    }
  }
}

/** A function's answer is JSON, except that of a handler that returns nothing. */
function parse(payload: string): Json {
  return payload === '' ? null : (JSON.parse(payload) as Json);
}
