/** Makes the conversions that ONNX Runtime put into a graph part of the graph. */
import * as fs from 'node:fs';
import { Reader } from 'protobufjs/minimal';
import { NODE, WIRE_TYPE, fieldTag } from '../onnx/fields';

/**
 * ONNX Runtime knows the casts that it inserts by this beginning of their names, and takes itself free to drop them
 * together with a neighbor that rounds: in a saved graph, once more each time that it loads
 * (`insert_cast_transformer.cc`). Under another name they stay.
 */
const INSERTED = Buffer.from('InsertedPrecisionFreeCast_');
const SETTLED = Buffer.from('SettledPrecisionFreeCast__');

/** The byte before the length of a node's name. */
const NODE_NAME_TAG = fieldTag(NODE.name, WIRE_TYPE.lengthDelimited);

/** Bytes searched at a time, and the longest name with its tag and length. */
const WINDOW_BYTES = 4 * 1024 * 1024;
const LONGEST = 64 * 1024;

/** Renames the nodes in place: the two beginnings are of one length, so that nothing else moves. */
export function settleCasts(file: string): void {
  const descriptor = fs.openSync(file, 'r+');
  try {
    const { size } = fs.fstatSync(descriptor);
    const buffer = Buffer.allocUnsafe(WINDOW_BYTES + LONGEST);
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

/** Whether the text at `at` comes after a node name's tag and a length. Names of values have other tags. */
function isNodeName(window: Buffer, at: number): boolean {
  for (let lengthBytes = 1; lengthBytes <= 3 && at > lengthBytes; lengthBytes++) {
    if (window[at - lengthBytes - 1] !== NODE_NAME_TAG) continue;
    const reader = Reader.create(window.subarray(at - lengthBytes, at));
    const continues = window.subarray(at - lengthBytes, at - 1).every((byte) => byte >= 0x80);
    if (continues && window[at - 1] < 0x80 && reader.uint32() >= INSERTED.length) return true;
  }
  return false;
}
