/** One worker process of a sandbox: starts, runs one call at a time, and is frozen between calls. */
import { type ChildProcess, spawn } from 'node:child_process';
import { builtFile } from '../../lib/host/packages';
import type { FunctionLog } from './function-log';
import { guard, signalGroup, unguard } from './guardian';
import { type Answer, type Invocation, RuntimeApi } from './runtime-api';

export interface WorkerOptions {
  readonly program: string;
  readonly codeFolder: string;
  /** Becomes the worker's `TMPDIR`. */
  readonly temporaryFolder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly log: FunctionLog;
}

export interface WorkerEnd {
  /** In the words of Lambda, such as `with error: signal: killed`. */
  readonly reason: string;
  /** The error that the runtime client reported before the first call. */
  readonly initError: Answer | undefined;
}

interface RunningCall {
  readonly requestId: string;
  /** Called when the response has been received, while the worker still has the call's memory. */
  readonly onAnswer: () => void;
  readonly settle: (outcome: Answer | WorkerEnd) => void;
  /** The posted response. The call ends only when the worker is ready for the next call or has exited. */
  answer: Answer | undefined;
}

export function isEnd(outcome: object): outcome is WorkerEnd {
  return 'reason' in outcome;
}

const CAN_FREEZE = process.platform !== 'win32';

export class Worker {
  /** Resolves when the worker is ready for its first call, or has ended before. */
  readonly initialized: Promise<'ready' | WorkerEnd>;
  readonly exited: Promise<WorkerEnd>;
  private readonly api: RuntimeApi;
  private process: ChildProcess | undefined;
  private running: RunningCall | undefined;
  private frozen = false;
  private initError: Answer | undefined;
  private onReady: (outcome: 'ready' | WorkerEnd) => void = () => undefined;
  private onExited: (end: WorkerEnd) => void = () => undefined;

  static async start(options: WorkerOptions): Promise<Worker> {
    const worker = new Worker(options);
    await worker.api.start();
    worker.spawn();
    return worker;
  }

  private constructor(private readonly options: WorkerOptions) {
    this.initialized = new Promise((resolve) => (this.onReady = resolve));
    this.exited = new Promise((resolve) => (this.onExited = resolve));
    this.api = new RuntimeApi({
      onNext: () => {
        this.onReady('ready');
        if (this.running?.answer !== undefined) this.finish(this.running.answer);
      },
      onAnswer: (requestId, answer) => {
        if (this.running?.requestId !== requestId) return;
        this.running.onAnswer();
        this.running.answer = answer;
      },
      onInitError: (payload) => (this.initError = { payload, failed: true }),
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

  /** Runs one call; never rejects. The worker must be ready. Returns the worker's end if it ends without a response. */
  run(invocation: Invocation, onAnswer: () => void): Promise<Answer | WorkerEnd> {
    if (!this.alive) return this.exited;
    return new Promise((settle) => {
      this.running = { requestId: invocation.requestId, onAnswer, settle, answer: undefined };
      if (this.frozen) this.signal('SIGCONT');
      this.frozen = false;
      this.api.deliver(invocation);
    });
  }

  /** Stops the process until its next call, as Lambda does: its timers and connections stand still. */
  freeze(): void {
    if (!CAN_FREEZE || !this.alive) return;
    this.frozen = true;
    this.signal('SIGSTOP');
  }

  /** Kills the process and the processes that it started, as Lambda stops a whole sandbox. */
  kill(): void {
    this.signal('SIGKILL');
  }

  private signal(signal: NodeJS.Signals): void {
    const pid = this.process?.pid;
    if (pid !== undefined) signalGroup(pid, signal);
  }

  private spawn(): void {
    const { program, codeFolder, temporaryFolder, environment, log } = this.options;
    const child = spawn(program, [builtFile('bundle/worker.js')], {
      cwd: codeFolder,
      env: { ...environment, TMPDIR: temporaryFolder, AWS_LAMBDA_RUNTIME_API: this.api.address },
      stdio: ['pipe', 'pipe', 'pipe'],
      // Start a process group, which `kill` can end as a whole.
      detached: true,
    });
    log.follow(child.stdout);
    log.follow(child.stderr);
    const { pid } = child;
    if (pid !== undefined && CAN_FREEZE) guard(pid);
    child.once('error', (error) => {
      log.append(error.message);
      void this.exit(`with error: ${error.message}`);
    });
    child.once('exit', () => {
      this.kill();
      if (pid !== undefined) unguard(pid);
    });
    // 'close' follows 'exit' once all output has been read.
    child.once('close', (code, signal) => {
      void this.exit(exitReason(code, signal));
    });
    this.process = child;
  }

  private finish(outcome: Answer | WorkerEnd): void {
    const { running } = this;
    this.running = undefined;
    running?.settle(outcome);
  }

  private async exit(reason: string): Promise<void> {
    if (!this.alive) return;
    this.process = undefined;
    await this.api.close();
    const end = { reason, initError: this.initError };
    this.onReady(end);
    this.finish(this.running?.answer ?? end);
    this.onExited(end);
  }
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
