/** Reads a slice's manifest: JSON in the metadata of its model file. */
import { Reader } from 'protobufjs/minimal';
import { MANIFEST_KEY, type SliceManifest } from '../../contract/slice-manifest';
import { CONTRACT_VERSION } from '../../contract/version';
import { sliceFailed } from '../errors';

/** Field numbers of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, as in lib/onnx/, which a function does not have. */
const MODEL_METADATA_PROPS = 14;
const ENTRY_KEY = 1;
const ENTRY_VALUE = 2;

/** @throws NamedFailure `SliceFailed` if the model has no manifest or one of another version */
export function readManifest(model: Uint8Array): SliceManifest {
  const text = metadataProperty(model, MANIFEST_KEY);
  if (text === undefined) {
    throw sliceFailed(
      `the slice's model has no metadata property '${MANIFEST_KEY}', which this library writes: deploy the stack again`,
    );
  }
  const manifest = JSON.parse(text) as SliceManifest;
  // The type allows only this version, but another release may have written the file.
  const version: number = manifest.version;
  if (version !== CONTRACT_VERSION) {
    throw sliceFailed(
      `the slice's manifest must have version ${CONTRACT_VERSION}, got ${version}: deploy the stack again`,
      { expected: String(CONTRACT_VERSION), got: String(version) },
    );
  }
  return manifest;
}

/** Skips all other fields by their length; the graph is by far the largest. */
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
