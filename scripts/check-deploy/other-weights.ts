/** Changes the matrices of a model, as another training would. Vectors stay, because sizes of images may be among them. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ModelProto } from '../../bench/onnx-schema';

const FLOAT = 1;
const FACTOR = 0.75;

interface Tensor {
  readonly dataType?: number;
  readonly dims?: readonly unknown[];
  readonly externalData?: readonly { readonly key: string; readonly value: string }[];
  rawData?: Uint8Array;
}

interface Graph {
  readonly node?: readonly { readonly attribute?: readonly { readonly t?: Tensor; readonly g?: Graph }[] }[];
  readonly initializer?: readonly Tensor[];
}

/** Reads the model from `source` and writes it to `target`. A file of weights beside the model changes where it is. */
export function otherWeights(source: string, target = source): void {
  const model = ModelProto.decode(fs.readFileSync(source)) as unknown as { graph: Graph };
  const files = new Set<string>();
  let changed = 0;
  for (const tensor of tensorsOf(model.graph)) {
    if (tensor.dataType !== FLOAT || (tensor.dims?.length ?? 0) < 2) continue;
    const place = tensor.externalData?.find(({ key }) => key === 'location');
    if (place !== undefined) files.add(path.join(path.dirname(source), place.value));
    else if (tensor.rawData !== undefined) tensor.rawData = scaled(tensor.rawData);
    changed++;
  }
  if (changed === 0) throw new Error(`${source} must have matrices of float32, got none`);
  for (const file of files) fs.writeFileSync(file, scaled(fs.readFileSync(file)));
  fs.writeFileSync(target, ModelProto.encode(ModelProto.create(model as object)).finish());
}

function* tensorsOf({ node = [], initializer = [] }: Graph): Generator<Tensor> {
  yield* initializer;
  for (const { t, g } of node.flatMap(({ attribute = [] }) => attribute)) {
    if (t) yield t;
    if (g) yield* tensorsOf(g);
  }
}

function scaled(bytes: Uint8Array): Uint8Array {
  // A view needs aligned bytes.
  const values = new Float32Array(new Uint8Array(bytes).buffer);
  return new Uint8Array(values.map((value) => value * FACTOR).buffer);
}
