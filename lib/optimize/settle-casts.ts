/** Renames the casts that ONNX Runtime inserted into a saved graph, so that it does not drop them later. */
import * as fs from 'node:fs';
import { Reader } from 'protobufjs/minimal';
import { NODE, WIRE_TYPE, fieldTag } from '../onnx/fields';

/**
 * ONNX Runtime recognizes the casts that it inserted by this prefix of their names. Each time it loads a saved graph,
 * it may drop such a cast together with a neighbor that rounds (`insert_cast_transformer.cc`). Other casts stay.
 */
const INSERTED = Buffer.from('InsertedPrecisionFreeCast_');
const SETTLED = Buffer.from('SettledPrecisionFreeCast__');

/** The byte before the length of a node's name. */
const NODE_NAME_TAG = fieldTag(NODE.name, WIRE_TYPE.lengthDelimited);

/** The bit that every byte of a varint has, except the last. */
const VARINT_CONTINUES = 0x80;

/** Bytes searched at a time. */
const WINDOW_BYTES = 4 * 1024 * 1024;
/** Bytes by which windows overlap: more than a tag, a length and the prefix take. */
const OVERLAP_BYTES = 64 * 1024;

/** Renames the casts in place. Both prefixes have the same length, so no other byte changes. */
export function settleCasts(file: string): void {
  const descriptor = fs.openSync(file, 'r+');
  try {
    const { size } = fs.fstatSync(descriptor);
    const buffer = Buffer.allocUnsafe(WINDOW_BYTES + OVERLAP_BYTES);
    for (let start = 0; start < size; start += WINDOW_BYTES) {
      const length = fs.readSync(descriptor, buffer, 0, buffer.length, start);
      const window = buffer.subarray(0, length);
      for (let at = window.indexOf(INSERTED); at >= 0; at = window.indexOf(INSERTED, at + 1)) {
        if (isNodeName(window, at)) fs.writeSync(descriptor, SETTLED, 0, SETTLED.length, start + at);
      }
    }
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Whether the text at `at` follows the tag and the length of a node's name. Names of values have other tags. */
function isNodeName(window: Buffer, at: number): boolean {
  for (let lengthBytes = 1; lengthBytes <= 3 && at > lengthBytes; lengthBytes++) {
    if (window[at - lengthBytes - 1] !== NODE_NAME_TAG) continue;
    const reader = Reader.create(window.subarray(at - lengthBytes, at));
    const continues = window.subarray(at - lengthBytes, at - 1).every((byte) => byte >= VARINT_CONTINUES);
    if (continues && window[at - 1] < VARINT_CONTINUES && reader.uint32() >= INSERTED.length) return true;
  }
  return false;
}
