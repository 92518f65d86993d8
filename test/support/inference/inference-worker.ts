/**
 * A thread that passes questions to the inference process, and replaces the process when ONNX Runtime crashes it.
 * The thread that asks is synchronous, as the library is: it sleeps until `answered` changes.
 */
import { type ChildProcess, fork } from 'node:child_process';
import * as path from 'node:path';
import { type MessagePort, workerData } from 'node:worker_threads';
import type { InferenceEnd, InferenceQuestion } from './persistent-inference';

const { answered, timeoutMs, port } = workerData as {
  answered: Int32Array;
  timeoutMs: number;
  port: MessagePort;
};

let helper: ChildProcess | undefined;

function ask(question: InferenceQuestion): Promise<InferenceEnd> {
  const child = (helper ??= fork(path.join(__dirname, 'inference-process.js'), {
    // Ignore the output of ONNX Runtime.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: [],
  }));
  return new Promise((resolve) => {
    const end = (ending: InferenceEnd): void => {
      clearTimeout(timer);
      child.removeAllListeners();
      if (!('stdout' in ending)) {
        child.kill('SIGKILL');
        helper = undefined;
      }
      resolve(ending);
    };
    const timer = setTimeout(() => {
      end({ error: 'ETIMEDOUT' });
    }, timeoutMs);
    child.once('message', (stdout: string) => {
      end({ stdout });
    });
    child.once('exit', (status, signal) => {
      end({ status, signal });
    });
    child.send(question);
  });
}

port.on('message', (question: InferenceQuestion) => {
  void ask(question).then((ending) => {
    port.postMessage(ending);
    Atomics.store(answered, 0, 1);
    Atomics.notify(answered, 0);
  });
});
