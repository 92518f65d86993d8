/** Embeds the external weights of a slice into its model, as naive functions load it. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ModelProto } from '../onnx-schema';

interface DecodedTensor {
  dataLocation?: number;
  externalData?: readonly { readonly key: string; readonly value: string }[];
  rawData?: Uint8Array;
}

/** Returns the bytes of a slice's model with embedded weights. */
export function embeddedSlice(folder: string, file: string): Uint8Array {
  const model = ModelProto.decode(fs.readFileSync(path.join(folder, file))) as unknown as {
    graph: { initializer: DecodedTensor[] };
  };
  for (const tensor of model.graph.initializer) {
    if (!tensor.externalData?.length) continue;
    const entry = Object.fromEntries(tensor.externalData.map(({ key, value }) => [key, value]));
    tensor.rawData = readRange(path.join(folder, entry.location), Number(entry.offset), Number(entry.length));
    delete tensor.dataLocation;
    delete tensor.externalData;
  }
  return ModelProto.encode(model).finish();
}

function readRange(file: string, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const descriptor = fs.openSync(file, 'r');
  fs.readSync(descriptor, bytes, 0, length, offset);
  fs.closeSync(descriptor);
  return bytes;
}
