/**
 * A function's execution environment, as Lambda calls it: a `/tmp`, credentials, and one worker process after the other.
 * After a timeout, a crash or running out of memory, the next call gets a new process in the same sandbox, and finds the
 * files of the earlier one.
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-invoke-with-errors
 */
import { rm } from 'node:fs/promises';
import { isJsonObject, parseJson } from '../json';
import { MemoryWatch } from './memory-watch';
import { type Answer, failure, type Invocation } from './runtime-api';
import { isEnd, Worker, type WorkerEnd, type WorkerOptions } from './worker';

export interface SandboxOptions extends WorkerOptions {
  readonly memoryMegabytes: number;
  readonly timeoutSeconds: number;
  readonly initSeconds: number;
  readonly memory: { readonly countShared: boolean } | undefined;
  readonly onFrozen: () => void;
}

/** A call to run. Its deadline is set when its timeout starts. */
type Call = Omit<Invocation, 'deadline'>;

/** What callers see of a worker. */
export interface WorkerProcess {
  readonly functionName: string;
  readonly logicalId: string;
  readonly pid: number;
  /** Whether the process is running a call. */
  readonly busy: boolean;
  /** What its `/tmp` is on this machine. It stays when the process ends before its sandbox. */
  readonly temporaryFolder: string;
}

type Verdict = 'timeout' | 'memory';

type Failure = { readonly status: 'timeout' } | { readonly status: 'error'; readonly errorType: string };

export class Sandbox {
  private worker: Worker | undefined;
  /** The last worker, from before its process starts. */
  private launch: Promise<Worker> | undefined;
  private verdict: Verdict | undefined;
  private peakBytes = 0;
  /** Duration of the init phase, until the first call has reported it. */
  private initMs: number | undefined;
  private retired = false;
  private running: Call | undefined;

  /** The temporary folder must exist. */
  constructor(private readonly options: SandboxOptions) {}

  get process(): Pick<WorkerProcess, 'pid' | 'busy' | 'temporaryFolder'> | undefined {
    const pid = this.worker?.pid;
    const { temporaryFolder } = this.options;
    return pid === undefined ? undefined : { pid, busy: this.worker?.busy === true, temporaryFolder };
  }

  get temporaryFolder(): string {
    return this.options.temporaryFolder;
  }

  get payload(): string | undefined {
    return this.running?.payload;
  }

  /** Starts a worker ahead of the first call. If it fails or takes too long, that call starts another one within its timeout. */
  async init(): Promise<void> {
    await this.killAfter(this.options.initSeconds, () => this.startWorker('init'));
  }

  /** Runs one call; never rejects. The sandbox must not be running another one. */
  async run(call: Call): Promise<Answer> {
    this.running = call;
    const start = performance.now();
    const { timeoutSeconds } = this.options;
    const invocation = { ...call, deadline: Date.now() + timeoutSeconds * 1000 };
    const outcome = await this.killAfter(timeoutSeconds, () => this.runInWorker(invocation));
    const durationMs = performance.now() - start;
    this.running = undefined;
    if (isEnd(outcome)) return this.death(call, durationMs, outcome);
    // A worker that was killed for its memory may already have posted its response.
    if (this.verdict === 'memory') return this.death(call, durationMs, OUT_OF_MEMORY);
    this.report(call, durationMs);
    return outcome;
  }

  crash(): void {
    this.worker?.kill();
  }

  exceedMemory(): void {
    this.condemn('memory');
  }

  async retire(): Promise<void> {
    this.retired = true;
    this.worker?.kill();
    const worker = await this.launch;
    await worker?.exited;
    await rm(this.options.temporaryFolder, { recursive: true, force: true });
  }

  private async runInWorker(invocation: Invocation): Promise<Answer | WorkerEnd> {
    // The worker may have ended since its last call.
    const worker = this.worker?.alive === true ? this.worker : await this.startWorker('invoke');
    if (isEnd(worker)) return worker;
    const outcome = await this.watched(worker, (memory) => worker.run(invocation, () => memory?.measure()));
    if (worker.alive) {
      worker.freeze();
      this.options.onFrozen();
    }
    return outcome;
  }

  private async startWorker(phase: 'init' | 'invoke'): Promise<Worker | WorkerEnd> {
    const start = performance.now();
    this.peakBytes = 0;
    this.launch = Worker.start(this.options);
    const worker = await this.launch;
    this.worker = worker;
    if (this.retired || this.verdict !== undefined) worker.kill();
    const outcome = await this.watched(worker, () => worker.initialized);
    if (outcome !== 'ready') return outcome;
    if (phase === 'init') this.initMs = performance.now() - start;
    return worker;
  }

  /** Kills the worker, also one that starts later, if the work takes longer. */
  private async killAfter<T>(seconds: number, work: () => Promise<T>): Promise<T> {
    this.verdict = undefined;
    const timer = setTimeout(() => {
      this.condemn('timeout');
    }, seconds * 1000);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
    }
  }

  private condemn(verdict: Verdict): void {
    this.verdict ??= verdict;
    this.worker?.kill();
  }

  private async watched<T>({ pid }: Worker, work: (memory?: MemoryWatch) => Promise<T>): Promise<T> {
    const { memory, memoryMegabytes } = this.options;
    if (memory === undefined || pid === undefined) return work();
    const onExceeded = (): void => {
      this.condemn('memory');
    };
    const watch = new MemoryWatch(pid, { ...memory, bytes: memoryMegabytes * 1024 ** 2, onExceeded });
    const outcome = await work(watch);
    watch.stop();
    this.peakBytes = Math.max(this.peakBytes, watch.peakBytes);
    return outcome;
  }

  /** https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-invoke-with-errors */
  private report({ requestId }: Call, durationMs: number, failed?: Failure): void {
    const { memory, memoryMegabytes, log } = this.options;
    const { initMs } = this;
    const fields = [
      `REPORT RequestId: ${requestId}`,
      `Duration: ${durationMs.toFixed(2)} ms`,
      `Billed Duration: ${Math.ceil(durationMs + (initMs ?? 0))} ms`,
      `Memory Size: ${memoryMegabytes} MB`,
    ];
    if (memory !== undefined) {
      // Lambda shows at most what the function has.
      const used = Math.min(Math.ceil(this.peakBytes / 1024 ** 2), memoryMegabytes);
      fields.push(`Max Memory Used: ${used} MB`);
    }
    if (initMs !== undefined) fields.push(`Init Duration: ${initMs.toFixed(2)} ms`);
    if (failed !== undefined) fields.push(`Status: ${failed.status}`);
    if (failed?.status === 'error') fields.push(`Error Type: ${failed.errorType}`);
    log.append(fields.join('\t'));
    this.initMs = undefined;
  }

  private death(call: Call, durationMs: number, end: WorkerEnd): Answer {
    const { log, timeoutSeconds } = this.options;
    const { requestId } = call;
    const failed = this.failureOf(end);
    if (failed.status === 'timeout') {
      const timeout = `Task timed out after ${timeoutSeconds.toFixed(2)} seconds`;
      log.append(`${new Date().toISOString()} ${requestId} ${timeout}`);
      this.report(call, durationMs, failed);
      return failure('Sandbox.Timedout', `RequestId: ${requestId} Error: ${timeout}`);
    }
    const { reason } = this.verdict === 'memory' ? OUT_OF_MEMORY : end;
    const message = `RequestId: ${requestId} Error: Runtime exited ${reason}`;
    if (end.initError === undefined) log.append(`${message}\nRuntime.ExitError`);
    this.report(call, durationMs, failed);
    return (this.verdict === undefined ? end.initError : undefined) ?? failure(failed.errorType, message);
  }

  /** With the same message as for any killed process: https://github.com/adobe/helix-html2md-service/issues/1001 */
  private failureOf({ initError }: WorkerEnd): Failure {
    if (this.verdict === 'timeout') return { status: 'timeout' };
    if (this.verdict === 'memory') return { status: 'error', errorType: 'Runtime.OutOfMemory' };
    // A function can post anything as its error.
    const posted = initError && parseJson(initError.payload);
    const errorType = isJsonObject(posted) ? posted.errorType : undefined;
    return { status: 'error', errorType: typeof errorType === 'string' ? errorType : 'Runtime.ExitError' };
  }
}

const OUT_OF_MEMORY: WorkerEnd = { reason: 'with error: signal: killed', initError: undefined };
