/** The input and the output of `invoke`: any JSON. */
import { kindOf } from '../lambda/json-values';
import { MAX_EXECUTION_DATA_BYTES } from './description/read-description';
import { InferenceError } from './errors';
import { invalidOutput } from './results/check-output';

/** @throws InferenceError `InvalidInput` for a value without JSON or with too much of it */
export function invocationText(input: unknown): string {
  const text = jsonOf(input);
  const size = Buffer.byteLength(text);
  if (size <= MAX_EXECUTION_DATA_BYTES) return text;
  throw invalid(
    `at most ${MAX_EXECUTION_DATA_BYTES} bytes as JSON`,
    `${size}`,
    'put large parts into S3 and pass their key',
  );
}

function jsonOf(input: unknown): string {
  let text;
  try {
    // Its type does not tell that a function has no JSON.
    text = JSON.stringify(input) as string | undefined;
  } catch {
    // The engine's message may quote the names of the value's fields.
    throw invalid('a JSON value', 'one with a bigint or a circle', 'convert it');
  }
  if (text === undefined) throw invalid('a JSON value', kindOf(input), 'pass an object');
  return text;
}

/** @throws InferenceError `InvalidOutput` for a text that is no JSON */
export function invocationOutput(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The parser's message quotes the text, which can be anything.
    throw invalidOutput('JSON', 'something else');
  }
}

function invalid(expected: string, got: string, advice: string): InferenceError {
  const message = `the input must be ${expected}, got ${got}: ${advice}`;
  return new InferenceError('InvalidInput', message, { expected, got });
}
