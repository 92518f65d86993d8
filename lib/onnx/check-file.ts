/** Refuses files that are not ONNX models; the error names what they are instead. */
import * as fs from 'node:fs';
import { SlicedInferenceError, quoted } from '../errors';
import { unreadablePath } from '../host/read-text';
import { BEGINNING_BYTES, foreignFile, foreignFolder, hubNameAdvice } from './foreign-files';
import type { ByteSource, WireError } from './wire';

const BUCKET_ADVICE = 'download it, or use SlicedModel.fromBucket if the bucket has its slices';

const PLAN_ADVICE = 'pass the model; a plan.json follows --slicing-plan, or --compare of `plan`';

/** So many bytes tell text from an ONNX file. */
const TEXT_BYTES = 40;

export function checkIsFile(path: string): void {
  let stat: fs.Stats;
  try {
    stat = fs.statSync(path);
  } catch (error) {
    const { got, advice } = unreadablePath(path, error, BUCKET_ADVICE);
    throw notOnnx(path, got, hubNameAdvice(path) ?? advice);
  }
  if (stat.isFile()) return;
  if (!stat.isDirectory())
    throw notOnnx(path, 'something other than a regular file', 'pass the path of the .onnx file');
  throw notOnnx(path, ...foreignFolder(path));
}

export function checkBeginning(source: ByteSource): void {
  if (source.size === 0) {
    throw notOnnx(source.path, 'an empty file', 'copy or download it again');
  }
  const beginning = beginningOf(source, TEXT_BYTES);
  // An ONNX file begins with a control character.
  const isText = beginning.every((byte) => byte >= 0x20 || [0x09, 0x0a, 0x0d].includes(byte));
  const isPlan = source.path.toLowerCase().endsWith('.json');
  if (isText) throw notOnnx(source.path, 'text', ...(isPlan ? [PLAN_ADVICE] : []));
}

/** Refuses a file of a known other format. Call it only for a file that is no model: the first bytes alone do not tell. */
export function checkForeign(source: ByteSource): void {
  const kind = foreignFile(beginningOf(source, BEGINNING_BYTES), source.path);
  if (kind !== undefined) throw notOnnx(source.path, ...kind);
}

function beginningOf(source: ByteSource, most: number): Buffer {
  return source.bytes({ start: 0, end: Math.min(source.size, most) });
}

export function damaged(path: string, source: ByteSource, error: WireError): SlicedInferenceError {
  return new SlicedInferenceError(
    `model ${quoted(path)} must be a whole ONNX file`,
    error.truncated
      ? `a truncated file of ${source.size} bytes (${error.message})`
      : `bytes of another format (${error.message})`,
    error.truncated ? 'copy or download it again' : 'export the model as ONNX protobuf',
  );
}

export function notOnnx(
  path: string,
  got: string,
  advice = 'export the model as ONNX protobuf',
): SlicedInferenceError {
  return new SlicedInferenceError(`model ${quoted(path)} must be an ONNX file`, got, advice);
}
