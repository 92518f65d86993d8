/** The JSON of `--input-json`: a file or the text itself. */
import * as fs from 'node:fs';
import { SlicedInferenceError, systemReason } from '../../lib/errors';

/** Far above the 256 KiB that Step Functions takes, so that the message about that limit names the size. */
const MAX_FILE_BYTES = 64 * 2 ** 20;

const ADVICE = 'pass JSON such as {"image": "photos/1.jpg"}, or the path of a file with JSON';

/** @throws SlicedInferenceError for a text that is neither JSON nor a file with JSON */
export function readJsonInput(value: string): unknown {
  const found = fs.statSync(value, { throwIfNoEntry: false });
  if (found === undefined) return parse(value, 'neither a file nor JSON');
  if (!found.isFile() || found.size > MAX_FILE_BYTES) {
    throw refused(`'${value}', which is ${found.isFile() ? `of ${found.size} bytes` : 'no file'}`);
  }
  return parse(readText(value), `no JSON in '${value}'`);
}

function readText(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    throw refused(`'${file}' (${systemReason(error)})`);
  }
}

function parse(text: string, got: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The parser's message quotes the text, which can be long and private.
    throw refused(got);
  }
}

function refused(got: string): SlicedInferenceError {
  return new SlicedInferenceError('--input-json must be JSON, or a file with JSON', got, ADVICE);
}
