/** A function with its warm workers: each call takes an idle worker or starts a new one, as in Lambda. */
import { randomUUID } from 'node:crypto';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LocalCloudError } from '../basics/errors';
import type { FunctionResource } from '../cloudformation/resources';
import type { CodeFolders } from './code';
import { FunctionLog, type LogListener } from './function-log';
import { MAX_INVOKE_PAYLOAD_BYTES } from './limits';
import { Worker } from './worker';

export interface FunctionHost {
  readonly code: CodeFolders;
  /** Folder for the workers' temporary folders. */
  readonly folder: string;
  readonly region: string;
  /** Gives a new worker of the function access to the local S3. */
  readonly admit: (fn: FunctionResource) => Admission;
  /** Why the function may not write to a stream of its log group; `undefined` if it may. */
  readonly logRefusal?: (fn: FunctionResource, logStream: string) => string | undefined;
  /** Milliseconds from a call that finds no idle worker until a new worker starts. */
  readonly coldStartMs?: number;
  readonly onLog?: LogListener;
}

/** A worker's access to the local S3. */
export interface Admission {
  /** Credentials and the endpoint, as environment variables. */
  readonly environment: Readonly<Record<string, string>>;
  /** Called when the worker has ended. */
  readonly end: () => void;
}

interface InvocationResult {
  /** JSON. */
  readonly payload: string;
  /** As in Lambda's Invoke: present when the function failed. */
  readonly functionError?: 'Unhandled';
  readonly executedVersion: string;
}

/** A call that Lambda itself refuses. `name` is the error name in Step Functions. */
export class LambdaServiceError extends Error {
  constructor(
    override readonly name: 'Lambda.TooManyRequestsException' | 'Lambda.RequestTooLargeException',
    message: string,
  ) {
    super(message);
  }
}

/** Policies seldom tell log streams apart, so one name stands for all. */
const LOG_STREAM = 'local';

export class FunctionPool {
  readonly log: FunctionLog;
  private readonly workers = new Set<Worker>();
  private readonly idle: Worker[] = [];
  private started = 0;
  private busy = 0;
  private closed = false;

  constructor(
    readonly resource: FunctionResource,
    readonly version: string,
    private readonly host: FunctionHost,
  ) {
    this.log = new FunctionLog(resource.name, host.onLog, () => host.logRefusal?.(resource, LOG_STREAM));
  }

  /** Runs the function with a JSON payload. A failure of the function is a result, not an exception. */
  async invoke(payload: string): Promise<InvocationResult> {
    this.admit(payload);
    this.busy++;
    try {
      const worker = this.takeIdle() ?? (await this.startWorker());
      const functionArn =
        this.version === '$LATEST' ? this.resource.arn : `${this.resource.arn}:${this.version}`;
      const answer = await worker.run({ requestId: randomUUID(), functionArn, payload });
      if (worker.alive) this.idle.push(worker);
      const result = { payload: answer.payload, executedVersion: this.version };
      return answer.failed ? { ...result, functionError: 'Unhandled' } : result;
    } finally {
      this.busy--;
    }
  }

  /** The running processes. */
  processes(): { readonly pid: number; readonly busy: boolean }[] {
    return [...this.workers].flatMap(({ pid, busy }) => (pid === undefined ? [] : [{ pid, busy }]));
  }

  /** Kills the workers without waiting for their end. Also called when this process exits. */
  kill(): void {
    this.closed = true;
    for (const worker of this.workers) worker.kill();
  }

  async close(): Promise<void> {
    this.kill();
    await Promise.all([...this.workers].map((worker) => worker.exited));
  }

  private admit(payload: string): void {
    if (this.closed) throw new LocalCloudError('the local cloud is closed: start another one');
    if (Buffer.byteLength(payload) > MAX_INVOKE_PAYLOAD_BYTES) {
      throw new LambdaServiceError(
        'Lambda.RequestTooLargeException',
        `Request must be smaller than ${MAX_INVOKE_PAYLOAD_BYTES} bytes for the InvokeFunction operation`,
      );
    }
    if (this.busy >= (this.resource.reservedConcurrency ?? Infinity)) {
      throw new LambdaServiceError('Lambda.TooManyRequestsException', 'Rate Exceeded.');
    }
  }

  /** Takes the most recently used worker, as Lambda prefers, and skips workers that have died. */
  private takeIdle(): Worker | undefined {
    for (let worker = this.idle.pop(); worker !== undefined; worker = this.idle.pop()) {
      if (worker.alive) return worker;
    }
    return undefined;
  }

  private async startWorker(): Promise<Worker> {
    const temporaryFolder = path.join(
      this.host.folder,
      `${this.resource.logicalId}-${this.version}-${this.started++}`,
    );
    const codeFolder = await this.host.code.folderOf(this.resource.code);
    const { timeoutSeconds } = this.resource;
    if (this.host.coldStartMs !== undefined) await delay(this.host.coldStartMs);
    const admission = this.host.admit(this.resource);
    const environment = this.environment(admission, codeFolder, temporaryFolder);
    const worker = await Worker.start({
      codeFolder,
      temporaryFolder,
      environment,
      timeoutSeconds,
      log: this.log,
    });
    this.workers.add(worker);
    void worker.exited.then(() => {
      admission.end();
      this.workers.delete(worker);
      const at = this.idle.indexOf(worker);
      if (at >= 0) this.idle.splice(at, 1);
    });
    if (this.closed) worker.kill();
    return worker;
  }

  /** Variables that Lambda sets, then those of the function's definition. This process passes on only its PATH. */
  private environment(
    admission: Admission,
    codeFolder: string,
    temporaryFolder: string,
  ): Record<string, string> {
    const { name, memoryMegabytes, handler, runtime } = this.resource;
    return {
      PATH: process.env.PATH ?? '',
      LANG: 'en_US.UTF-8',
      TZ: ':UTC',
      // Hides the AWS configuration files of the user from the SDK.
      HOME: temporaryFolder,
      AWS_REGION: this.host.region,
      AWS_DEFAULT_REGION: this.host.region,
      AWS_EXECUTION_ENV: `AWS_Lambda_${runtime}`,
      AWS_LAMBDA_FUNCTION_NAME: name,
      AWS_LAMBDA_FUNCTION_VERSION: this.version,
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMegabytes),
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_LAMBDA_LOG_GROUP_NAME: this.resource.logGroup,
      AWS_LAMBDA_LOG_STREAM_NAME: path.basename(temporaryFolder),
      ...admission.environment,
      ...this.resource.environment,
      LAMBDA_TASK_ROOT: codeFolder,
      _HANDLER: handler,
    };
  }
}
