/** Reads what a slice says of itself: the JSON in its model file's metadata. */
import { Reader } from 'protobufjs/minimal';
import { MANIFEST_KEY, type SliceManifest } from '../../contract/slice-manifest';
import { CONTRACT_VERSION } from '../../contract/version';
import { sliceFailed } from '../errors';

/** Field numbers of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
const MODEL_METADATA_PROPS = 14;
const ENTRY_KEY = 1;
const ENTRY_VALUE = 2;

/** @throws NamedFailure `SliceFailed` when the model has no manifest or one of another version. */
export function readManifest(model: Uint8Array): SliceManifest {
  const text = metadataProperty(model, MANIFEST_KEY);
  if (text === undefined) {
    throw sliceFailed(
      `the slice's model has no metadata property '${MANIFEST_KEY}': it was not made by this library`,
    );
  }
  const manifest = JSON.parse(text) as SliceManifest;
  // The type says that there is one version only; the file may have been made by another release.
  const version: number = manifest.version;
  if (version !== CONTRACT_VERSION) {
    throw sliceFailed(
      `the slice's manifest has version ${version}, this function reads ${CONTRACT_VERSION}: deploy the stack again`,
      { expected: String(CONTRACT_VERSION), got: String(version) },
    );
  }
  return manifest;
}

/** The graph, by far the largest field, is skipped by its length. */
function metadataProperty(model: Uint8Array, wanted: string): string | undefined {
  const reader = Reader.create(model);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 !== MODEL_METADATA_PROPS) {
      reader.skipType(tag & 7);
      continue;
    }
    const [key, value] = readEntry(Reader.create(reader.bytes()));
    if (key === wanted) return value;
  }
  return undefined;
}

function readEntry(reader: Reader): [key: string, value: string] {
  let key = '';
  let value = '';
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === ENTRY_KEY) key = reader.string();
    else if (tag >>> 3 === ENTRY_VALUE) value = reader.string();
    else reader.skipType(tag & 7);
  }
  return [key, value];
}
