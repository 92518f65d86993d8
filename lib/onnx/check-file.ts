/** Refuses files that are not ONNX models; the error names what they are instead. */
import * as fs from 'node:fs';
import { SlicedInferenceError, quoted } from '../errors';
import { unreadablePath } from '../host/foreign-path';
import type { ByteSource, WireError } from './wire';

const BUCKET_ADVICE = 'download it, or use SlicedModel.fromBucket if the bucket has its slices';

const LFS_POINTER = 'version https://git-lfs.github.com/spec/';

/** @throws SlicedInferenceError when `path` is missing or is not a regular file */
export function checkIsFile(path: string): void {
  let stat: fs.Stats;
  try {
    stat = fs.statSync(path);
  } catch (error) {
    const { got, advice } = unreadablePath(path, error, BUCKET_ADVICE);
    throw new SlicedInferenceError(`model ${quoted(path)} must be an ONNX file`, got, advice);
  }
  if (stat.isFile()) return;
  throw new SlicedInferenceError(
    `model ${quoted(path)} must be an ONNX file`,
    stat.isDirectory() ? 'a folder' : 'something other than a regular file',
    'pass the path of the .onnx file',
  );
}

/** @throws SlicedInferenceError when the file is empty, a Git LFS pointer or text */
export function checkBeginning(source: ByteSource): void {
  if (source.size === 0) {
    throw new SlicedInferenceError(
      `model ${quoted(source.path)} must be an ONNX file`,
      'an empty file',
      'copy or download it again',
    );
  }
  const beginning = source.bytes({ start: 0, end: Math.min(source.size, LFS_POINTER.length) });
  if (beginning.toString('latin1') === LFS_POINTER) {
    throw new SlicedInferenceError(
      `model ${quoted(source.path)} must be an ONNX file`,
      'a Git LFS pointer to one',
      'run `git lfs pull` in its repository',
    );
  }
  if (isText(beginning)) throw notOnnx(source.path, 'text');
}

/** Whether the bytes are readable text. An ONNX file begins with a control character. */
function isText(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d);
}

/** The error for a file that violates the wire format. */
export function damaged(path: string, source: ByteSource, error: WireError): SlicedInferenceError {
  return new SlicedInferenceError(
    `model ${quoted(path)} must be a whole ONNX file`,
    error.truncated
      ? `a truncated file of ${source.size} bytes (${error.message})`
      : `bytes of another format (${error.message})`,
    error.truncated ? 'copy or download it again' : 'export the model as ONNX protobuf',
  );
}

export function notOnnx(path: string, got: string): SlicedInferenceError {
  return new SlicedInferenceError(
    `model ${quoted(path)} must be an ONNX file`,
    got,
    'export the model as ONNX protobuf',
  );
}
