/** Runs ONNX Runtime in a child process: synthesis is synchronous, and a crash must not end the caller. */
import type { SpawnSyncReturns } from 'node:child_process';
import { spawnSync } from 'node:child_process';
import { SlicedInferenceError, printable } from '../errors';
import { checkRunsOnnxRuntime } from './onnxruntime';
import { builtFile } from './package-files';

/** Types and shapes of at most 5 million values, as JSON. */
const MAX_ANSWER_BYTES = 2 ** 30;

interface ChildRequest {
  /** The script to run, as a path below `dist/`. */
  readonly script: string;
  readonly args: readonly string[];
  readonly timeoutMs: number;
  /** The first part of an error, for example `model 'm.onnx' must load in ONNX Runtime 1.30.0`. */
  readonly what: string;
  /** The last part of an error. */
  readonly advice: string;
  /**
   * The class of the error when the script fails.
   *
   * @default SlicedInferenceError
   */
  readonly refusal?: typeof SlicedInferenceError;
}

/**
 * Runs the script and returns the JSON object that it prints. The caller knows the object's type.
 *
 * @throws SlicedInferenceError when the script crashes, hangs, or prints an object with `error`, and on a platform without
 * ONNX Runtime
 */
export function askChild(request: ChildRequest): object {
  checkRunsOnnxRuntime();
  const { script, args, timeoutMs, what, advice, refusal: Refusal = SlicedInferenceError } = request;
  const child = spawnSync(process.execPath, [builtFile(script), ...args], {
    encoding: 'utf8',
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: MAX_ANSWER_BYTES,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (child.status !== 0) throw new Refusal(what, failureOf(child, timeoutMs), advice);
  const answer = JSON.parse(child.stdout) as object | { readonly error: string };
  if (!('error' in answer)) return answer;
  // ONNX Runtime's message names a temporary file that no longer exists.
  throw new Refusal(what, oneLine(answer.error.replaceAll(/Load model from \S+ failed:/g, '')), advice);
}

function failureOf({ error, pid, signal, stderr }: SpawnSyncReturns<string>, timeoutMs: number): string {
  if (error !== undefined && 'code' in error && error.code === 'ETIMEDOUT')
    return `no answer within ${timeoutMs / 1000} s`;
  // A child that did not start, for example for lack of memory, has no output.
  if (pid === 0 && error !== undefined) return `a process that did not start: ${oneLine(error.message)}`;
  return signal ? `a process ended by ${signal}` : oneLine(stderr.trim().split('\n').at(-1) ?? '');
}

function oneLine(text: string): string {
  // The text may quote names and even whole messages of the model.
  return printable(text.replaceAll(/\s+/g, ' ').trim(), 400);
}
