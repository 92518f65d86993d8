/** One worker process: runs one call at a time, and reports timeouts and crashes as Lambda's errors. */
import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { rm } from 'node:fs/promises';
import { builtFile } from '../../lib/host/package-files';
import { systemErrorCode } from '../basics/errors';
import type { FunctionLog } from './function-log';
import { INIT_SECONDS } from './limits';
import { type Answer, type Invocation, RuntimeApi } from './runtime-api';

interface WorkerOptions {
  readonly codeFolder: string;
  /** Becomes the worker's `TMPDIR`. The worker creates it and removes it at its end. */
  readonly temporaryFolder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly log: FunctionLog;
}

/** A call to run. Its deadline is set when the worker receives it. */
export type Call = Omit<Invocation, 'deadline'>;

interface RunningCall {
  readonly call: Call;
  readonly settle: (answer: Answer) => void;
  timer: NodeJS.Timeout;
  timedOut: boolean;
  /** The posted response. The call ends only when the worker is ready for the next call or has exited. */
  answer: Answer | undefined;
}

export class Worker {
  private readonly api: RuntimeApi;
  private process: ChildProcess | undefined;
  private running: RunningCall | undefined;
  private ready = false;
  private initError: Answer | undefined;
  /** Resolves when the process has ended and its folder is removed. */
  readonly exited: Promise<void>;
  private onExited: () => void = () => undefined;

  static async start(options: WorkerOptions): Promise<Worker> {
    const worker = new Worker(options);
    await worker.api.start();
    worker.spawn();
    return worker;
  }

  private constructor(private readonly options: WorkerOptions) {
    this.exited = new Promise((resolve) => (this.onExited = resolve));
    this.api = new RuntimeApi({
      onNext: () => {
        this.next();
      },
      onAnswer: (requestId, answer) => {
        if (this.running?.call.requestId === requestId) this.running.answer = answer;
      },
      onInitError: (payload) => {
        this.initError = { payload, failed: true };
      },
    });
  }

  get pid(): number | undefined {
    return this.process?.pid;
  }

  get alive(): boolean {
    return this.process !== undefined;
  }

  get busy(): boolean {
    return this.running !== undefined;
  }

  /** Runs one call; never rejects. The worker must not be busy. */
  run(call: Call): Promise<Answer> {
    return new Promise((settle) => {
      const timer = this.killAfter(INIT_SECONDS + this.options.timeoutSeconds);
      this.running = { call, settle, timer, timedOut: false, answer: undefined };
      if (!this.alive) this.finish(this.deathOf(this.running, 'without providing a reason'));
      else if (this.ready) this.deliver(this.running);
    });
  }

  /** Kills the process and the processes that it started, as Lambda stops a whole sandbox. */
  kill(): void {
    const pid = this.process?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch (error) {
      // The process has just ended by itself.
      if (systemErrorCode(error) !== 'ESRCH') throw error;
    }
  }

  private spawn(): void {
    const { codeFolder, temporaryFolder, environment, log } = this.options;
    fs.mkdirSync(temporaryFolder, { recursive: true });
    const child = spawn(process.execPath, [builtFile('bundle/worker.js')], {
      cwd: codeFolder,
      env: { ...environment, TMPDIR: temporaryFolder, AWS_LAMBDA_RUNTIME_API: this.api.address },
      stdio: ['pipe', 'pipe', 'pipe'],
      // Start a process group, which `kill` can end as a whole.
      detached: true,
    });
    log.follow(child.stdout);
    log.follow(child.stderr);
    child.once('error', (error) => {
      log.append(error.message);
      void this.exit(`with error: ${error.message}`);
    });
    child.once('exit', () => {
      this.kill();
    });
    // 'close' follows 'exit' once all output has been read.
    child.once('close', (code, signal) => {
      void this.exit(exitReason(code, signal));
    });
    this.process = child;
  }

  private next(): void {
    this.ready = true;
    if (this.running === undefined) return;
    if (this.running.answer !== undefined) this.finish(this.running.answer);
    else this.deliver(this.running);
  }

  private deliver(running: RunningCall): void {
    this.ready = false;
    clearTimeout(running.timer);
    running.timer = this.killAfter(this.options.timeoutSeconds);
    this.api.deliver({ ...running.call, deadline: Date.now() + this.options.timeoutSeconds * 1000 });
  }

  private killAfter(seconds: number): NodeJS.Timeout {
    return setTimeout(() => {
      if (this.running !== undefined) this.running.timedOut = true;
      this.kill();
    }, seconds * 1000);
  }

  private finish(answer: Answer): void {
    const running = this.running;
    this.running = undefined;
    clearTimeout(running?.timer);
    running?.settle(answer);
  }

  private async exit(reason: string): Promise<void> {
    if (!this.alive) return;
    this.process = undefined;
    await this.api.close();
    await rm(this.options.temporaryFolder, { recursive: true, force: true });
    if (this.running !== undefined) this.finish(this.deathOf(this.running, reason));
    this.onExited();
  }

  private deathOf(running: RunningCall, reason: string): Answer {
    if (running.answer !== undefined) return running.answer;
    if (this.initError !== undefined) return this.initError;
    const prefix = `RequestId: ${running.call.requestId} Error:`;
    const timeout = `${prefix} Task timed out after ${this.options.timeoutSeconds.toFixed(2)} seconds`;
    return running.timedOut
      ? failure('Sandbox.Timedout', timeout)
      : failure('Runtime.ExitError', `${prefix} Runtime exited ${reason}`);
  }
}

function failure(errorType: string, errorMessage: string): Answer {
  return { payload: JSON.stringify({ errorType, errorMessage }), failed: true };
}

/** Uses the words of Lambda's own messages, which are those of the Go language. */
function exitReason(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal !== null) return `with error: signal: ${SIGNAL_WORDS[signal] ?? signal.slice(3).toLowerCase()}`;
  return code === 0 ? 'without providing a reason' : `with error: exit status ${code ?? 'unknown'}`;
}

const SIGNAL_WORDS: Readonly<Partial<Record<NodeJS.Signals, string>>> = {
  SIGABRT: 'aborted',
  SIGBUS: 'bus error',
  SIGKILL: 'killed',
  SIGSEGV: 'segmentation fault',
  SIGTERM: 'terminated',
};
