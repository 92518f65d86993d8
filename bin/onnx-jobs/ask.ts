/** Asks for a job with ONNX Runtime in a process of its own, so that a model that crashes it, or hangs, does not end the command. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { builtFile } from '../../lib/host/packages';

export interface Failure {
  /** ONNX Runtime's message, the system's if it could not be loaded, or how the process ended. */
  readonly failure: string;
  readonly isUnloadable?: boolean;
}

/**
 * @param folder for the files of the job and of its answer
 * @param command that starts Node.js
 */
export async function ask<Answer extends object>(
  job: object,
  folder: string,
  timeoutMs: number,
  command: readonly string[] = [process.execPath],
): Promise<Answer | Failure> {
  const [node, ...args] = command;
  const [question, answer] = ['job.json', 'answer.json'].map((name) => path.join(folder, name));
  fs.writeFileSync(question, JSON.stringify(job));
  fs.rmSync(answer, { force: true });
  // What ONNX Runtime logs to standard error is in the answer too.
  const child = spawn(node, [...args, builtFile('bundle/verify-job.js'), question, answer], {
    stdio: 'ignore',
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  if (code === 0) return JSON.parse(fs.readFileSync(answer, 'utf8')) as Answer | Failure;
  return { failure: signal === null ? `an end with exit code ${code}` : `an end by ${signal}` };
}
