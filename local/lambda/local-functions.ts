/** The Lambda functions that a pipeline's tasks call, as Step Functions sees them. */
import { isDeepStrictEqual } from 'node:util';
import {
  type FunctionResource,
  findFunction,
  readFunction,
  splitFunctionArn,
} from '../cloudformation/resources';
import type { Template } from '../cloudformation/template';
import { isJsonObject, type Json } from '../json';
import { LocalCloudError, unsupported } from '../local-cloud-error';
import { type Definition, allStates } from '../step-functions/definition';
import type { ExecutionResult } from '../step-functions/execution';
import type { TaskResult } from '../step-functions/run-options';
import { StateError } from '../step-functions/state-error';
import { type FunctionHost, FunctionPool, type Invocation } from './function-pool';
import type { WorkerProcess } from './sandbox';

export class LocalFunctions {
  /** Pools by the ARN of a published version, or of a function with its latest code. */
  private readonly pools = new Map<string, FunctionPool>();
  /** The pool that runs the call, by the ARN that a task calls. Those of earlier deployments stay for executions that run. */
  private readonly targets = new Map<string, FunctionPool>();
  /** Pools that a later deployment has replaced. They may still run calls. */
  private readonly replaced: FunctionPool[] = [];
  private readonly asynchronous = new Set<Promise<unknown>>();

  constructor(private readonly host: FunctionHost) {}

  /** Refuses unsupported functions before a run. Returns a function that replaces the current functions, but for published versions. */
  prepare(template: Template, ...definitions: readonly Definition[]): () => void {
    const called = new Map<string, { readonly fn: FunctionResource; readonly version: string }>();
    for (const state of definitions.flatMap((definition) => [...allStates(definition)])) {
      if (state.type !== 'Task') continue;
      const found = findFunction(template, state.functionName);
      if (found === undefined) {
        throw unsupported(
          `the function ${state.functionName} of state '${state.name}'`,
          "use one of the pipeline's own stack",
        );
      }
      const fn = readFunction(template, found.resource);
      checkFunction(fn);
      called.set(state.functionName, { fn, version: found.version });
    }
    return () => {
      this.host.concurrency.reserve([...called.values()].map(({ fn }) => fn));
      for (const [calledArn, { fn, version }] of called) {
        this.targets.set(calledArn, this.poolOf(fn, version));
      }
    };
  }

  private poolOf(fn: FunctionResource, version: string): FunctionPool {
    const arn = version === '$LATEST' ? fn.arn : `${fn.arn}:${version}`;
    const known = this.pools.get(arn);
    // A published version never changes.
    if (known && (version !== '$LATEST' || isDeepStrictEqual(known.resource, fn))) return known;
    if (known) this.replaced.push(known);
    const pool = new FunctionPool(fn, version, this.host);
    this.pools.set(arn, pool);
    return pool;
  }

  /** Runs a task. @throws StateError when the function fails, with the function's whole response as its cause */
  async invoke(functionArn: string, payload: Json, traceHeader?: string): Promise<TaskResult> {
    const answer = await this.call(functionArn, JSON.stringify(payload), traceHeader);
    // A deployment prepares the functions of all its tasks.
    if (answer === undefined) throw new Error(`no function ${functionArn}`);
    const response = responseOf(answer);
    if (!answer.failed) return { payload: response, executedVersion: answer.executedVersion };
    throw new StateError(errorTypeOf(response), answer.payload);
  }

  /** @returns the answer of the function or its failure; `undefined` if no task and no caller may call such a function */
  async call(functionArn: string, payload: string, traceHeader?: string): Promise<Invocation | undefined> {
    return await this.targets.get(functionArn)?.invoke(payload, traceHeader, functionArn);
  }

  /** Calls a function as its caller does, without a state machine. */
  async execution(functionArn: string, input: Json): Promise<ExecutionResult> {
    const answer = await this.call(functionArn, JSON.stringify(input));
    if (answer === undefined) throw new Error(`no function ${functionArn}`);
    const executionArn = `${splitFunctionArn(functionArn).functionArn}:${answer.requestId}`;
    const response = responseOf(answer);
    if (!answer.failed) return { status: 'SUCCEEDED', executionArn, output: response };
    return { status: 'FAILED', executionArn, error: errorTypeOf(response), cause: answer.payload };
  }

  /** Makes an asynchronous call, once: unlike on Lambda, one that fails or is throttled is not repeated. */
  invokeLater(call: () => Promise<TaskResult>): void {
    // Nobody waits for the call. The function's own log says why it failed.
    const done: Promise<unknown> = call()
      .catch(() => undefined)
      .finally(() => this.asynchronous.delete(done));
    this.asynchronous.add(done);
  }

  /** Resolves when no asynchronous call runs. */
  async asynchronousCalls(): Promise<void> {
    while (this.asynchronous.size > 0) await Promise.all(this.asynchronous);
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
    await Promise.all(this.allPools().map((pool) => pool.close()));
  }

  private allPools(): FunctionPool[] {
    return [...this.replaced, ...this.pools.values()];
  }
}

/** A function's response is JSON, or empty if the handler returns nothing. */
function responseOf({ payload }: Invocation): Json {
  return payload === '' ? null : (JSON.parse(payload) as Json);
}

function errorTypeOf(response: Json): string {
  const { errorType } = isJsonObject(response) ? response : {};
  return typeof errorType === 'string' && errorType !== '' ? errorType : 'Lambda.Unknown';
}

const MAX_ENVIRONMENT_BYTES = 4096;

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime */
const RESERVED =
  /^(_HANDLER|_X_AMZN_TRACE_ID|AWS_(DEFAULT_REGION|REGION|EXECUTION_ENV|ACCESS_KEY(_ID)?|SECRET_ACCESS_KEY|SESSION_TOKEN)|AWS_LAMBDA_(FUNCTION_(NAME|MEMORY_SIZE|VERSION)|INITIALIZATION_TYPE|LOG_(GROUP|STREAM)_NAME|RUNTIME_API)|LAMBDA_(TASK_ROOT|RUNTIME_DIR))$/;

/** Refuses functions that Lambda would not create: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html */
function checkFunction({ logicalId, environment, ...fn }: FunctionResource): void {
  const refuse = (what: string, expected: string, got: string | number): LocalCloudError =>
    new LocalCloudError(`${what} of the function '${logicalId}' must ${expected}, got ${got}: change it`);
  const ranges = [
    ['the memory size', fn.memoryMegabytes, 128, 10_240],
    ['the ephemeral storage size', fn.ephemeralStorageMegabytes, 512, 10_240],
    ['the timeout', fn.timeoutSeconds, 1, 900],
  ] as const;
  for (const [what, value, least, most] of ranges) {
    if (Number.isInteger(value) && value >= least && value <= most) continue;
    throw refuse(what, `be an integer of ${least} to ${most}`, value);
  }
  const reserved = Object.keys(environment).find((name) => RESERVED.test(name));
  if (reserved !== undefined) throw refuse('a variable', 'not have a name that Lambda sets', reserved);
  const bytes = Buffer.byteLength(JSON.stringify(environment));
  if (bytes <= MAX_ENVIRONMENT_BYTES) return;
  throw refuse('the environment', `have at most ${MAX_ENVIRONMENT_BYTES} bytes`, bytes);
}
