/** Refuses files that are not ONNX models; the error names what they are instead. */
import * as fs from 'node:fs';
import { SlicedInferenceError, quoted } from '../errors';
import { unreadablePath } from '../host/read-text';
import type { ByteSource, WireError } from './wire';

const BUCKET_ADVICE = 'download it, or use SlicedModel.fromBucket if the bucket has its slices';

const LFS_POINTER = 'version https://git-lfs.github.com/spec/';

export function checkIsFile(path: string): void {
  let stat: fs.Stats;
  try {
    stat = fs.statSync(path);
  } catch (error) {
    const { got, advice } = unreadablePath(path, error, BUCKET_ADVICE);
    throw notOnnx(path, got, advice);
  }
  if (stat.isFile()) return;
  const got = stat.isDirectory() ? 'a folder' : 'something other than a regular file';
  throw notOnnx(path, got, 'pass the path of the .onnx file');
}

export function checkBeginning(source: ByteSource): void {
  if (source.size === 0) {
    throw notOnnx(source.path, 'an empty file', 'copy or download it again');
  }
  const beginning = source.bytes({ start: 0, end: Math.min(source.size, LFS_POINTER.length) });
  if (beginning.toString('latin1') === LFS_POINTER) {
    throw notOnnx(source.path, 'a Git LFS pointer to one', 'run `git lfs pull` in its repository');
  }
  // An ONNX file begins with a control character.
  const isText = beginning.every((byte) => byte >= 0x20 || [0x09, 0x0a, 0x0d].includes(byte));
  if (isText) throw notOnnx(source.path, 'text');
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
