/**
 * Answers the library's questions to ONNX Runtime from one process. The library starts a process for each question,
 * which takes longer than the rest of a small model's compilation.
 */
import childProcess from 'node:child_process';
import * as path from 'node:path';
import { MessageChannel, Worker, receiveMessageOnPort } from 'node:worker_threads';
import { builtFile } from '../../../lib/host/packages';

/** The library's scripts that ask ONNX Runtime. */
type InferenceScript = 'infer-child.js' | 'optimize-child.js' | 'sizes-job.js';

const SCRIPTS: readonly InferenceScript[] = ['infer-child.js', 'optimize-child.js', 'sizes-job.js'];

export interface InferenceQuestion {
  readonly script: InferenceScript;
  readonly argument: string;
}

/** How a question ended: with an answer, at the time limit, or because the process ended. */
export type InferenceEnd =
  | { readonly stdout: string }
  | { readonly error: 'ETIMEDOUT' }
  | { readonly status: number | null; readonly signal: NodeJS.Signals | null };

export class PersistentInference {
  /** How the last question ended; `undefined` before the first. */
  last: InferenceEnd | undefined;
  private readonly answered = new Int32Array(new SharedArrayBuffer(4));
  private readonly channel = new MessageChannel();
  private worker: Worker | undefined;

  /** @param timeoutMs time limit of one question: by default as long as the library waits for ONNX Runtime itself */
  constructor(private readonly timeoutMs = 60_000) {
    this.channel.port1.unref();
  }

  /**
   * Replaces `spawnSync` for the scripts above; the library looks the function up at each call.
   *
   * @returns a function that restores `spawnSync`; the process stays
   */
  install(): () => void {
    const { spawnSync } = childProcess;
    const node = process.execPath;
    const substitute = (command: string, args: readonly string[], options: object): unknown => {
      const script = SCRIPTS.find((each) => path.basename(args[0]) === each);
      if (script === undefined || command !== node) return spawnSync(command, args, options);
      return result(this.ask({ script, argument: args[1] }));
    };
    Object.assign(childProcess, { spawnSync: substitute });
    return () => {
      Object.assign(childProcess, { spawnSync });
    };
  }

  private ask(question: InferenceQuestion): InferenceEnd {
    this.worker ??= this.startWorker();
    Atomics.store(this.answered, 0, 0);
    this.channel.port1.postMessage(question);
    Atomics.wait(this.answered, 0, 0);
    const received = receiveMessageOnPort(this.channel.port1);
    if (received === undefined) throw new Error('the worker woke this thread without an answer');
    return (this.last = received.message as InferenceEnd);
  }

  private startWorker(): Worker {
    const worker = new Worker(builtFile('test/support/inference/inference-worker.js'), {
      workerData: { answered: this.answered, timeoutMs: this.timeoutMs, port: this.channel.port2 },
      transferList: [this.channel.port2],
    });
    worker.unref();
    return worker;
  }
}

/** The end as `spawnSync` reports it. */
function result(end: InferenceEnd): Partial<childProcess.SpawnSyncReturns<string>> {
  if ('stdout' in end) return { status: 0, signal: null, stdout: end.stdout, stderr: '' };
  if ('error' in end) {
    const error = Object.assign(new Error('spawnSync ETIMEDOUT'), { code: end.error });
    return { status: null, signal: 'SIGKILL', stdout: '', stderr: '', error };
  }
  return { ...end, stdout: '', stderr: '' };
}
