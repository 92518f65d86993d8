/** Changes the matrices of a model, as another training would. Vectors stay, because sizes of images may be among them. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ModelProto } from '../../bench/onnx-schema';

const FLOAT = 1;

interface Tensor {
  readonly dataType: number;
  readonly dims: readonly unknown[];
  readonly externalData: readonly { readonly key: string; readonly value: string }[];
  rawData: Uint8Array;
}

interface Graph {
  readonly node: readonly { readonly attribute: readonly { readonly t?: Tensor; readonly g?: Graph }[] }[];
  readonly initializer: readonly Tensor[];
}

/** Reads the model from `source` and writes it to `target`. A file of weights beside the model changes where it is. */
export function otherWeights(source: string, target: string): void {
  const model = ModelProto.decode(fs.readFileSync(source));
  const matrices = tensorsOf((model as unknown as { graph: Graph }).graph).filter(
    ({ dataType, dims }) => dataType === FLOAT && dims.length > 1,
  );
  if (matrices.length === 0) throw new Error(`${source} must have matrices of float32, got none`);
  const files = new Set<string>();
  for (const tensor of matrices) {
    const place = tensor.externalData.find(({ key }) => key === 'location');
    if (place === undefined) tensor.rawData = scaled(tensor.rawData);
    else files.add(path.join(path.dirname(source), place.value));
  }
  for (const file of files) fs.writeFileSync(file, scaled(fs.readFileSync(file)));
  fs.writeFileSync(target, ModelProto.encode(model).finish());
}

function tensorsOf({ node, initializer }: Graph): Tensor[] {
  const attributes = node.flatMap(({ attribute }) => attribute);
  return [
    ...initializer,
    ...attributes.flatMap(({ t, g }) => [...(t ? [t] : []), ...(g ? tensorsOf(g) : [])]),
  ];
}

function scaled(bytes: Uint8Array): Uint8Array {
  // A view needs aligned bytes.
  return new Uint8Array(new Float32Array(Uint8Array.from(bytes).buffer).map((value) => value * 0.75).buffer);
}
