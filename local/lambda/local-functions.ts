/** The Lambda functions that a pipeline's tasks call, as Step Functions sees them. */
import { isDeepStrictEqual } from 'node:util';
import { attributeOf } from '../cloudformation/physical-ids';
import {
  type FunctionResource,
  findFunction,
  readFunction,
  splitFunctionArn,
} from '../cloudformation/resources';
import type { Template } from '../cloudformation/template';
import { isJsonObject, type Json } from '../json';
import { unsupported } from '../local-cloud-error';
import { type Definition, allStates } from '../step-functions/definition';
import type { TaskResult } from '../step-functions/run-options';
import { StateError } from '../step-functions/state-error';
import {
  AsynchronousCalls,
  type AsynchronousSettings,
  DEFAULT_ASYNCHRONOUS_SETTINGS,
  readAsynchronousSettings,
} from './asynchronous-calls';
import { checkFunction } from './check-function';
import { type FunctionHost, FunctionPool } from './function-pool';
import type { WorkerProcess } from './sandbox';
import { notFound } from './service-error';

export class LocalFunctions {
  /** Pools by the ARN of a published version, or of a function with its latest code. */
  private readonly pools = new Map<string, FunctionPool>();
  /** ARN of the pool that runs the call, by the ARN that a task calls. A deployment that removes a function removes its ARNs. */
  private readonly targets = new Map<string, string>();
  /** Pools that a later deployment has replaced. They may still run calls. */
  private readonly replaced: FunctionPool[] = [];

  private readonly queue = new AsynchronousCalls();
  /** By the ARN that a task calls asynchronously. A deployment replaces the settings of earlier versions by Lambda's defaults. */
  private asynchronous: ReadonlyMap<string, AsynchronousSettings> = new Map();

  constructor(private readonly host: FunctionHost) {}

  /** Refuses unsupported functions before a run. Returns a function that replaces the current functions, but for published versions. */
  prepare(template: Template, ...definitions: readonly Definition[]): () => void {
    const called = new Map<string, { readonly fn: FunctionResource; readonly version: string }>();
    const asynchronous = new Map<string, AsynchronousSettings>();
    for (const state of definitions.flatMap((definition) => [...allStates(definition)])) {
      if (state.type !== 'Task') continue;
      const { functionName } = state;
      const found = findFunction(template, functionName);
      if (found === undefined) {
        throw unsupported(
          `the function ${functionName} of state '${state.name}'`,
          "use one of the pipeline's own stack",
        );
      }
      const { resource, version } = found;
      const fn = readFunction(template, resource);
      checkFunction(fn);
      called.set(functionName, { fn, version });
      if (!state.isAsynchronous) continue;
      const { qualifier } = splitFunctionArn(functionName);
      asynchronous.set(functionName, readAsynchronousSettings(template, resource.logicalId, qualifier));
    }
    const reserve = this.host.concurrency.prepare([...called.values()].map(({ fn }) => fn));
    const kept = new Set(
      template
        .resourcesOfType('AWS::Lambda::Function')
        .map((resource) => attributeOf(template, resource, 'Arn')),
    );
    return () => {
      reserve();
      this.asynchronous = asynchronous;
      for (const [calledArn, { fn, version }] of called) this.put(calledArn, fn, version);
      for (const calledArn of this.targets.keys()) {
        if (!kept.has(splitFunctionArn(calledArn).functionArn)) this.targets.delete(calledArn);
      }
    };
  }

  private put(calledArn: string, fn: FunctionResource, version: string): void {
    const arn = version === '$LATEST' ? fn.arn : `${fn.arn}:${version}`;
    this.targets.set(calledArn, arn);
    const known = this.pools.get(arn);
    // A published version never changes.
    if (known && (version !== '$LATEST' || isDeepStrictEqual(known.resource, fn))) return;
    if (known) this.replaced.push(known);
    this.pools.set(arn, new FunctionPool(fn, version, this.host));
  }

  /** Runs a task. @throws StateError when the function fails, with the function's whole response as its cause */
  async invoke(functionArn: string, payload: Json, traceHeader?: string): Promise<TaskResult> {
    const result = await this.called(functionArn).invoke(JSON.stringify(payload), traceHeader);
    // A function's response is JSON, or empty if the handler returns nothing.
    const answer = result.payload === '' ? null : (JSON.parse(result.payload) as Json);
    const { executedVersion } = result;
    if (result.functionError === undefined) return { payload: answer, executedVersion };
    const errorType = isJsonObject(answer) && typeof answer.errorType === 'string' ? answer.errorType : '';
    throw new StateError(errorType === '' ? 'Lambda.Unknown' : errorType, result.payload);
  }

  invokeLater(functionArn: string, call: () => Promise<TaskResult>): void {
    this.called(functionArn);
    this.queue.add(this.asynchronous.get(functionArn) ?? DEFAULT_ASYNCHRONOUS_SETTINGS, call);
  }

  private called(functionArn: string): FunctionPool {
    const pool = this.pools.get(this.targets.get(functionArn) ?? '');
    if (pool === undefined) throw notFound(functionArn);
    return pool;
  }

  /** Resolves when no asynchronous call is queued or runs. */
  asynchronousCalls(): Promise<void> {
    return this.queue.settled();
  }

  workers(): WorkerProcess[] {
    return this.allPools().flatMap((pool) => pool.processes());
  }

  logs(): Map<string, string> {
    return new Map(this.allPools().map((pool) => [pool.resource.name, pool.log.text()]));
  }

  async endIdle(): Promise<void> {
    await Promise.all(this.allPools().map((pool) => pool.endIdle()));
  }

  async close(): Promise<void> {
    this.queue.close();
    await Promise.all(this.allPools().map((pool) => pool.close()));
  }

  private allPools(): FunctionPool[] {
    return [...this.replaced, ...this.pools.values()];
  }
}
