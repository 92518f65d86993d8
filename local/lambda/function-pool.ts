/** A function with its warm sandboxes: each call takes an idle sandbox or starts a new one, as in Lambda. */
import { randomBytes, randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { FunctionResource } from '../cloudformation/resources';
import type { FaultTarget } from '../faults/injector';
import { closedCloud } from '../local-cloud-error';
import type { Notices } from '../notices';
import type { CodeFolders } from './code';
import type { Concurrency } from './concurrency';
import { FunctionLog, type LogListener } from './function-log';
import { canMeasureMemory, isInMemory } from './memory-watch';
import type { Answer } from './runtime-api';
import { Sandbox, type WorkerProcess } from './sandbox';
import { requestTooLarge } from './service-error';

/** The figure in Lambda's own error message. */
export const MAX_REQUEST_BYTES = 6_291_456;

/** https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib */
const INIT_SECONDS = 10;

/** Of provisioned concurrency, unless the function's timeout is longer. */
const PROVISIONED_INIT_SECONDS = 130;

export interface FunctionHost {
  readonly code: CodeFolders;
  readonly folder: string;
  readonly region: string;
  /** Gives a new sandbox access to the local S3. */
  readonly admit: (fn: FunctionResource, sandbox: FaultTarget) => Admission;
  /** Why the function may not write to a stream of its log group; `undefined` if it may. */
  readonly logRefusal?: (fn: FunctionResource, logStream: string) => string | undefined;
  readonly concurrency: Concurrency;
  /** By major version. */
  readonly nodeBinaries?: Readonly<Partial<Record<string, string>>> | undefined;
  readonly notices: Notices;
  readonly initSeconds?: number;
  /** Multiplies the timeouts of functions and of their init phases. @default 1 */
  readonly timeouts?: number;
  /** Called before a new sandbox starts, for the call with this payload. It starts when the promise resolves. */
  readonly beforeStart?: (fn: FunctionResource, payload: string) => Promise<void>;
  /** Milliseconds from a call that finds no idle sandbox until a new one starts. */
  readonly coldStartMs?: number;
  readonly onLog?: LogListener;
}

export interface Admission {
  /** Credentials and the endpoint, as environment variables. */
  readonly environment: Readonly<Record<string, string>>;
  /** Called when the sandbox stands still after a call. */
  readonly onFrozen?: () => void;
  readonly end: () => void;
}

/** Policies seldom tell log streams apart, so one name stands for all. */
const LOG_STREAM = 'local';

export interface Invocation extends Answer {
  readonly requestId: string;
  readonly executedVersion: string;
}

export class FunctionPool {
  readonly log: FunctionLog;
  private readonly sandboxes = new Map<Sandbox, Admission>();
  private readonly idle: Sandbox[] = [];
  private started = 0;
  private closed = false;

  constructor(
    readonly resource: FunctionResource,
    readonly version: string,
    private readonly host: FunctionHost,
  ) {
    this.log = new FunctionLog(resource.name, host.onLog, () => host.logRefusal?.(resource, LOG_STREAM));
  }

  /** A failure of the function is a result. @throws StateError when Lambda itself would refuse the call */
  async invoke(
    payload: string,
    traceHeader?: string,
    functionArn = this.version === '$LATEST' ? this.resource.arn : `${this.resource.arn}:${this.version}`,
  ): Promise<Invocation> {
    this.checkOpen();
    if (Buffer.byteLength(payload) > MAX_REQUEST_BYTES) throw requestTooLarge(MAX_REQUEST_BYTES);
    const leave = this.host.concurrency.enter(this.resource);
    try {
      // The most recently used one, as Lambda prefers.
      const sandbox = this.idle.pop() ?? (await this.startSandbox(payload));
      const requestId = randomUUID();
      const answer = await sandbox.run({ requestId, functionArn, payload, traceHeader });
      this.checkStorage(sandbox.temporaryFolder);
      this.idle.push(sandbox);
      return { ...answer, requestId, executedVersion: this.version };
    } finally {
      leave();
    }
  }

  processes(): WorkerProcess[] {
    const { name: functionName, logicalId } = this.resource;
    return [...this.sandboxes.keys()].flatMap(({ process }) =>
      process === undefined ? [] : [{ functionName, logicalId, ...process }],
    );
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.sandboxes.keys()].map((sandbox) => this.end(sandbox)));
  }

  async endIdle(): Promise<void> {
    await Promise.all(this.idle.splice(0).map((sandbox) => this.end(sandbox)));
  }

  private async end(sandbox: Sandbox): Promise<void> {
    await sandbox.retire();
    this.sandboxes.get(sandbox)?.end();
    this.sandboxes.delete(sandbox);
  }

  private checkOpen(): void {
    if (this.closed) throw closedCloud();
  }

  private async startSandbox(payload: string): Promise<Sandbox> {
    const temporaryFolder = path.join(
      this.host.folder,
      `${this.resource.logicalId}-${this.version}-${this.started++}`,
    );
    const codeFolder = await this.host.code.folderOf(this.resource.code);
    const program = this.program();
    if (this.host.coldStartMs !== undefined) await delay(this.host.coldStartMs);
    await this.host.beforeStart?.(this.resource, payload);
    this.checkOpen();
    fs.mkdirSync(temporaryFolder, { recursive: true });
    let sandbox: Sandbox | undefined = undefined;
    const admission = this.host.admit(this.resource, {
      get payload() {
        return sandbox?.payload;
      },
      crash: () => sandbox?.crash(),
      exceedMemory: () => sandbox?.exceedMemory(),
    });
    const { isProvisioned, timeoutSeconds } = this.resource;
    const longestInit = isProvisioned ? Math.max(PROVISIONED_INIT_SECONDS, timeoutSeconds) : INIT_SECONDS;
    const { initSeconds = longestInit, timeouts = 1 } = this.host;
    sandbox = new Sandbox({
      ...this.resource,
      program,
      codeFolder,
      temporaryFolder,
      environment: this.environment(admission.environment, codeFolder, temporaryFolder),
      log: this.log,
      memory: this.memory(),
      timeoutSeconds: timeoutSeconds * timeouts,
      initSeconds: initSeconds * timeouts,
      onFrozen: () => admission.onFrozen?.(),
    });
    this.sandboxes.set(sandbox, admission);
    await sandbox.init();
    return sandbox;
  }

  /** The Node.js that the function declares, if it is known, or else that of this process. */
  private program(): string {
    const { runtime, architecture } = this.resource;
    const machine = process.arch === 'x64' ? 'x86_64' : process.arch;
    if (architecture !== machine) {
      this.host.notices.add(
        `architecture ${architecture}`,
        `functions for ${architecture} run with the ONNX Runtime of this machine, ${machine}: bits and times are those of this machine`,
      );
    }
    const major = /^nodejs(\d+)\.x$/.exec(runtime)?.[1] ?? '';
    const named = this.host.nodeBinaries?.[major];
    if (named !== undefined) return named;
    const own = process.versions.node;
    if (!own.startsWith(`${major}.`)) {
      this.host.notices.add(
        `runtime ${runtime}`,
        `functions for Node.js ${major} run with the Node.js of this program, ${own}`,
      );
    }
    return process.execPath;
  }

  /** On Lambda, a write fails that does not fit into `/tmp`. */
  private checkStorage(folder: string): void {
    const { name, ephemeralStorageMegabytes: size } = this.resource;
    const bytes = bytesIn(folder);
    if (bytes <= size * 1024 ** 2) return;
    this.host.notices.add(
      `storage ${name}`,
      `the files in /tmp of the function '${name}' must fit into ${size} MB on Lambda, ` +
        `got ${Math.ceil(bytes / 1024 ** 2)} MB: raise its ephemeral storage size`,
    );
  }

  private memory(): { readonly countShared: boolean } | undefined {
    if (canMeasureMemory()) return { countShared: !isInMemory(this.host.folder) };
    this.host.notices.add(
      'memory',
      'the local cloud limits the memory of functions on Linux only, got ' +
        `${process.platform}: a function may use more memory here than on Lambda`,
    );
    return undefined;
  }

  /**
   * Variables that Lambda sets, then those of the function's definition. This process passes on only its PATH.
   * https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
   */
  private environment(
    admission: Admission['environment'],
    codeFolder: string,
    temporaryFolder: string,
  ): Record<string, string> {
    const { name, memoryMegabytes, handler, runtime, isProvisioned } = this.resource;
    const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
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
      AWS_LAMBDA_INITIALIZATION_TYPE: isProvisioned ? 'provisioned-concurrency' : 'on-demand',
      AWS_LAMBDA_LOG_GROUP_NAME: this.resource.logGroup,
      AWS_LAMBDA_LOG_STREAM_NAME: `${day}/[${this.version}]${randomBytes(16).toString('hex')}`,
      AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
      ...this.resource.environment,
      // Also instead of the function's own authorities, which Node.js reads from a single file.
      ...admission,
      LAMBDA_TASK_ROOT: codeFolder,
      // Lambda's own modules are there, among them the SDK, which a function must bring along here.
      LAMBDA_RUNTIME_DIR: '/var/runtime',
      _HANDLER: handler,
    };
  }
}

function bytesIn(folder: string): number {
  try {
    const names = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
    return names.reduce((bytes, name) => bytes + fs.lstatSync(path.join(folder, name)).size, 0);
  } catch {
    // A process of the function has just deleted something.
    return 0;
  }
}
