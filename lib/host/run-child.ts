/** Runs ONNX Runtime in a child process: synthesis is synchronous, and a crash must not end the caller. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { SlicedInferenceError, printable } from '../errors';
import { checkRunsOnnxRuntime, builtFile } from './packages';

const MAX_ANSWER_BYTES = 2 ** 30;

/** How a child fails: its script prints an error, its process ends or does not start, or it takes too long. */
export type ChildFailure = 'error' | 'crash' | 'timeout';

/** ONNX Runtime does not load a model, or crashes or hangs. */
export class ChildError extends SlicedInferenceError {
  constructor(
    what: string,
    got: string,
    advice: string,
    readonly failure: ChildFailure,
  ) {
    super(what, got, advice);
  }
}

interface ChildRequest {
  readonly script: string;
  readonly args: readonly string[];
  readonly timeoutMs: number;
  /** The first part of an error, for example `model 'm.onnx' must load in ONNX Runtime 1.30.0`. */
  readonly what: string;
  readonly advice: string;
}

/**
 * Runs the script and returns the JSON object that it prints. The caller knows the object's type.
 *
 * @throws ChildError when the script crashes, hangs, or prints an object with `error`, and on a platform without
 * ONNX Runtime
 */
export function askChild(request: ChildRequest): object {
  checkRunsOnnxRuntime();
  const { script, args, timeoutMs, what, advice } = request;
  const child = spawnSync(process.execPath, [builtFile(script), ...args], {
    encoding: 'utf8',
    timeout: Math.ceil(timeoutMs),
    killSignal: 'SIGKILL',
    maxBuffer: MAX_ANSWER_BYTES,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (child.error !== undefined && 'code' in child.error && child.error.code === 'ETIMEDOUT') {
    const seconds = Math.round(timeoutMs / 1000);
    throw new ChildError(what, `no answer within ${seconds} s`, advice, 'timeout');
  }
  if (child.status !== 0) throw new ChildError(what, crashOf(child), advice, 'crash');
  const answer = JSON.parse(child.stdout) as object | { readonly error: string };
  if (!('error' in answer)) return answer;
  // ONNX Runtime's message names a temporary file that no longer exists.
  const error = oneLine(answer.error.replaceAll(/Load model from \S+ failed:/g, ''));
  throw new ChildError(what, error, advice, 'error');
}

function crashOf({ error, pid, signal, stderr }: SpawnSyncReturns<string>): string {
  // A child that did not start, for example for lack of memory, has no output.
  if (pid === 0 && error !== undefined) return `a process that did not start: ${oneLine(error.message)}`;
  return signal ? `a process ended by ${signal}` : oneLine(stderr.trim().split('\n').at(-1) ?? '');
}

/** The text may quote names and even whole messages of the model. */
function oneLine(text: string): string {
  return printable(text.replaceAll(/\s+/g, ' ').trim(), 400);
}
