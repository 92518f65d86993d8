/** Asks ONNX Runtime in a process of its own: synthesis is synchronous, and a crash must not take the caller along. */
import type { SpawnSyncReturns } from 'node:child_process';
import { spawnSync } from 'node:child_process';
import { SlicedInferenceError, printable } from '../errors';
import { builtFile } from './package-files';

/** Types and shapes of at most 5 million values, as JSON. */
const MAX_ANSWER_BYTES = 2 ** 30;

export interface ChildRequest {
  /** What runs, as a path below the built package. */
  readonly script: string;
  readonly args: readonly string[];
  readonly timeoutMs: number;
  /** What an error says must be, and what it advises. */
  readonly what: string;
  readonly advice: string;
}

/**
 * Runs the script and returns what it prints as JSON: an answer of the type that the script gives.
 *
 * @throws SlicedInferenceError when it crashes, hangs, or answers with an `error`
 */
export function askChild(request: ChildRequest): object {
  const { script, args, timeoutMs, what, advice } = request;
  const child = spawnSync(process.execPath, [builtFile(script), ...args], {
    encoding: 'utf8',
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: MAX_ANSWER_BYTES,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (child.status !== 0) throw new SlicedInferenceError(what, endOf(child, timeoutMs), advice);
  const answer = JSON.parse(child.stdout) as object | { readonly error: string };
  if (!('error' in answer)) return answer;
  // The path that ONNX Runtime names is one of ours, which is gone by now.
  throw new SlicedInferenceError(
    what,
    oneLine(answer.error.replaceAll(/Load model from \S+ failed:/g, '')),
    advice,
  );
}

function endOf({ error, signal, stderr }: SpawnSyncReturns<string>, timeoutMs: number): string {
  if (error !== undefined && 'code' in error && error.code === 'ETIMEDOUT')
    return `no answer within ${timeoutMs / 1000} s`;
  return signal ? `a process ended by ${signal}` : oneLine(stderr.trim().split('\n').at(-1) ?? '');
}

function oneLine(text: string): string {
  // It may quote names and even whole messages of the model.
  return printable(text.replaceAll(/\s+/g, ' ').trim(), 400);
}
