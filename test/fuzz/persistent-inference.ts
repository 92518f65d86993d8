/**
 * Lets the library ask ONNX Runtime in a process that stays: to start one for each question takes longer than all the
 * rest of a case. It takes the place of `spawnSync`, so that everything of the library runs as it is.
 */
import childProcess from 'node:child_process';
import * as path from 'node:path';
import { MessageChannel, Worker, receiveMessageOnPort } from 'node:worker_threads';

/** The library's scripts that ask ONNX Runtime. */
export type InferenceScript = 'infer-child.js' | 'optimize-child.js';

const SCRIPTS: readonly InferenceScript[] = ['infer-child.js', 'optimize-child.js'];

export interface InferenceQuestion {
  readonly script: InferenceScript;
  readonly argument: string;
}

/** How a question to ONNX Runtime ended: with an answer, without one in time, or with the end of its process. */
export type InferenceEnd =
  | { readonly stdout: string }
  | { readonly error: 'ETIMEDOUT' }
  | { readonly status: number | null; readonly signal: NodeJS.Signals | null };

export class PersistentInference {
  /** How the last question ended; `undefined` before the first. */
  last: InferenceEnd | undefined;
  /** Time spent waiting for ONNX Runtime, in ms. */
  waitedMs = 0;
  private readonly answered = new Int32Array(new SharedArrayBuffer(4));
  private readonly channel = new MessageChannel();

  constructor(timeoutMs: number) {
    const worker = new Worker(path.join(__dirname, 'inference-worker.js'), {
      workerData: { answered: this.answered, timeoutMs, port: this.channel.port2 },
      transferList: [this.channel.port2],
    });
    worker.unref();
    this.channel.port1.unref();
  }

  /** Takes the place of `spawnSync` for the library, which looks it up at each call. */
  install(): void {
    const { spawnSync } = childProcess;
    const substitute = (command: string, args: readonly string[], options: object): unknown => {
      const script = SCRIPTS.find((each) => path.basename(args[0]) === each);
      if (script === undefined) return spawnSync(command, args, options);
      return result(this.ask({ script, argument: args[1] }));
    };
    Object.assign(childProcess, { spawnSync: substitute });
  }

  private ask(question: InferenceQuestion): InferenceEnd {
    const start = performance.now();
    Atomics.store(this.answered, 0, 0);
    this.channel.port1.postMessage(question);
    Atomics.wait(this.answered, 0, 0);
    this.waitedMs += performance.now() - start;
    const received = receiveMessageOnPort(this.channel.port1);
    if (received === undefined) throw new Error('the worker woke this thread without an answer');
    return (this.last = received.message as InferenceEnd);
  }
}

/** The end as `spawnSync` tells it. */
function result(end: InferenceEnd): Partial<childProcess.SpawnSyncReturns<string>> {
  if ('stdout' in end) return { status: 0, signal: null, stdout: end.stdout, stderr: '' };
  if ('error' in end) {
    const error = Object.assign(new Error('spawnSync ETIMEDOUT'), { code: end.error });
    return { status: null, signal: 'SIGKILL', stdout: '', stderr: '', error };
  }
  return { ...end, stdout: '', stderr: '' };
}
