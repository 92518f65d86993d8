/** Refuses files that are not ONNX models; the error names what they are instead. */
import * as fs from 'node:fs';
import { SlicedInferenceError, quoted } from '../errors';
import { unreadablePath } from '../host/read-text';
import type { ByteSource, WireError } from './wire';
import * as path from 'node:path';

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

/** What a file or folder is instead of an ONNX file, and what to do. */
type ForeignKind = readonly [got: string, advice: string];

/** So many bytes of a file are looked at. */
const BEGINNING_BYTES = 4096;

const PASS_MODEL = 'pass the path of the .onnx file';
const UNPACK = 'unpack it, and pass the path of the .onnx file in it';
const EXPORT = 'export the original model, for example with `optimum-cli export onnx --model NAME FOLDER`';
const TORCH = 'load it and export it with torch.onnx.export (https://docs.pytorch.org/docs/stable/onnx.html)';
const KERAS = 'load it and export it with `model.export("model.onnx", format="onnx")`';
const LFS = 'run `git lfs pull` in its repository, or download it with `hf download`';
const PAGE = 'download the file itself, not the page about it';
const tf2onnx = (flags: string): string =>
  `convert it with \`python -m tf2onnx.convert ${flags} --output model.onnx\``;

const CORE_ML = ['a Core ML model', EXPORT] as const;
const SAVED_MODEL = ['a TensorFlow SavedModel', tf2onnx('--saved-model FOLDER')] as const;

/** The first pattern that matches the beginning counts. The characters are the bytes. */
const KINDS: readonly (readonly [RegExp, ...ForeignKind])[] = [
  [/^version https:\/\/git-lfs\.github\.com\/spec\//, 'a Git LFS pointer to one', LFS],
  [/^\s*<(!doctype html|html)\b/i, 'an HTML page', PAGE],
  [/^\xff\xd8\xff/, 'a JPEG picture', PASS_MODEL],
  [/^\x89PNG\r\n/, 'a PNG picture', PASS_MODEL],
  [/^\x1f\x8b/, 'a gzip archive', UNPACK],
  [/^[^]{257}ustar/, 'a tar archive', UNPACK],
  // The name of the first entry is at byte 30. Those of torch.save and torch.jit.save are in one folder.
  [
    /^PK\x03\x04[^]{26}[^/]+\/((archive_|\.)format|\.data|data\.pkl|constants|code|version)/,
    'a PyTorch file',
    TORCH,
  ],
  [/^PK\x03\x04[^]{26}(metadata|config)\.json/, 'a Keras file', KERAS],
  [/^PK\x03\x04[^]{26}[^\0-\x1f]*\.npy/, 'a NumPy archive', PASS_MODEL],
  [/^PK(\x03\x04|\x05\x06)/, 'a ZIP archive', UNPACK],
  // The number with which old files of torch.save begin.
  [/^\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19\./, 'a PyTorch file', TORCH],
  [/^\x80[\x02-\x05][^\0-\x08]/, 'a Python pickle, perhaps of PyTorch or scikit-learn', TORCH],
  // The length of the header of JSON, at most 100 MB, in eight bytes.
  [/^[^]{3}[\0-\x05]\0{4}\{\s*"/, 'a safetensors file, which has weights without a graph', EXPORT],
  [/^GGUF/, 'a GGUF file', EXPORT],
  [/^\x89HDF\r\n/, 'an HDF5 file, perhaps of Keras', KERAS],
  [/^[^]{4}TFL3/, 'a TensorFlow Lite model', tf2onnx('--tflite FILE')],
  [/^[^]{4}ORTM/, 'an ONNX Runtime model (.ort)', 'pass the .onnx file that it was made from'],
  // Its first field is a node, whose first field is its name.
  [
    /^\n[^]{1,3}\n[^]*(Placeholder|Const)[^]*dtype/,
    'a TensorFlow graph',
    tf2onnx('--graphdef FILE --inputs x:0 --outputs y:0'),
  ],
];

function foreignFile(beginning: Buffer, file: string): ForeignKind | undefined {
  if (path.basename(file) === 'saved_model.pb') return SAVED_MODEL;
  if (file.endsWith('.mlmodel')) return CORE_ML;
  const text = beginning.toString('latin1');
  const [, ...kind] = KINDS.find(([pattern]) => pattern.test(text)) ?? [];
  return kind.length === 2 ? kind : undefined;
}

function foreignFolder(folder: string): ForeignKind {
  if (fs.existsSync(path.join(folder, 'saved_model.pb'))) return SAVED_MODEL;
  return /\.mlpackage$|\.mlmodelc$/.test(path.resolve(folder)) ? CORE_ML : ['a folder', PASS_MODEL];
}

/** Advice for a missing file whose path looks like the name of a model on the hub. */
function hubNameAdvice(file: string): string | undefined {
  const isName = /^[\w.-]+\/[\w.-]+$/.test(file) && !/onnx$/i.test(file);
  if (!isName || fs.existsSync(path.dirname(file))) return undefined;
  return `check the path, or download the model, such as with \`hf download ${file} onnx/model.onnx\`, and pass the path that it prints`;
}
