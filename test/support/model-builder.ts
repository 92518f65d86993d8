/** Builds small ONNX models in code, so that the tests need no model files. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ModelProto } from '../../bench/onnx-schema';
import { sharedFolder, temporaryFolder } from './temporary-folder';

export { temporaryFolder };

/** ONNX's numbers for the element types that the tests use. */
export const FLOAT = 1;
export const UINT8 = 2;
export const INT32 = 6;
export const INT64 = 7;
export const STRING = 8;
export const BOOL = 9;
export const FLOAT16 = 10;
export const BFLOAT16 = 16;

type Dim = number | string;

export interface TensorInit {
  readonly name: string;
  readonly dataType: number;
  readonly dims: readonly number[];
  readonly [field: string]: unknown;
}

export interface NodeInit {
  readonly opType: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly [field: string]: unknown;
}

export interface GraphInit {
  readonly name?: string;
  readonly node: readonly NodeInit[];
  readonly initializer?: readonly TensorInit[];
  readonly input?: readonly object[];
  readonly output: readonly object[];
  readonly [field: string]: unknown;
}

export function node(opType: string, input: string[], output: string[], attributes: object[] = []): NodeInit {
  return { opType, name: `${opType}_${output[0]}`, input, output, attribute: attributes };
}

export function value(name: string, elemType?: number, dims?: readonly Dim[]): object {
  if (elemType === undefined) return { name };
  const dim = dims?.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType, ...(dim && { shape: { dim } }) } } };
}

export function floats(name: string, dims: readonly number[], values?: readonly number[]): TensorInit {
  const count = dims.reduce((product, dim) => product * dim, 1);
  const data = values === undefined ? new Float32Array(count) : Float32Array.from(values);
  if (values === undefined) for (let index = 0; index < count; index++) data[index] = Math.sin(index + 1) / 4;
  return { name, dataType: FLOAT, dims, rawData: new Uint8Array(data.buffer) };
}

export function int64s(
  name: string,
  values: readonly number[],
  dims: readonly number[] = [values.length],
): TensorInit {
  const data = BigInt64Array.from(values, BigInt);
  return { name, dataType: INT64, dims, rawData: new Uint8Array(data.buffer) };
}

export const attribute = {
  int: (name: string, i: number) => ({ name, i, type: 2 }),
  ints: (name: string, ints: readonly number[]) => ({ name, ints, type: 7 }),
  tensor: (name: string, t: object) => ({ name, t, type: 4 }),
  graph: (name: string, g: GraphInit) => ({ name, g: { name, ...g }, type: 5 }),
};

export interface ModelInit {
  readonly graph: GraphInit;
  readonly irVersion?: number;
  readonly opset?: number;
  readonly [field: string]: unknown;
}

export function encodeModel({ graph, irVersion = 9, opset = 17, ...rest }: ModelInit): Uint8Array {
  return ModelProto.encode(
    ModelProto.create({
      irVersion,
      producerName: 'tests',
      opsetImport: [{ domain: '', version: opset }],
      ...rest,
      graph: { name: 'graph', ...graph },
    }),
  ).finish();
}

/** Dimensions of an input of floats, or an input of another type. */
type InputInit = readonly Dim[] | { readonly type: number; readonly dims?: readonly Dim[] };

/** A model with these inputs, by name. Its output is the first of the last node, of floats. */
export function modelOf(
  nodes: readonly NodeInit[],
  inputs: Readonly<Record<string, InputInit>>,
  weights: readonly TensorInit[] = [],
  rest: Partial<ModelInit> = {},
): ModelInit {
  const input = Object.entries(inputs).map(([name, init]) =>
    'type' in init ? value(name, init.type, init.dims) : value(name, FLOAT, init),
  );
  const output = [value(nodes[nodes.length - 1].output[0], FLOAT)];
  return { ...rest, graph: { node: nodes, initializer: weights, input, output, ...rest.graph } };
}

/** An If whose branches are these graphs, or the graphs of these nodes with the output of the last one. */
export function choice(
  condition: string,
  output: string,
  then: GraphInit | readonly NodeInit[],
  otherwise: GraphInit | readonly NodeInit[] = then,
): NodeInit {
  const body = (branch: GraphInit | readonly NodeInit[]): GraphInit =>
    'node' in branch ? branch : { node: branch, output: [value(branch[branch.length - 1].output[0], FLOAT)] };
  const branches = { then_branch: body(then), else_branch: body(otherwise) };
  const attributes = Object.entries(branches).map(([name, branch]) => attribute.graph(name, branch));
  return node('If', [condition], [output], attributes);
}

/** A tensor of floats in another file. */
export function external(
  name: string,
  dims: readonly number[],
  entries: Readonly<Record<string, string>> = { location: 'w.bin' },
): TensorInit {
  const externalData = Object.entries(entries).map(([key, entry]) => ({ key, value: entry }));
  return { name, dataType: FLOAT, dims, dataLocation: 1, externalData };
}

export function callOf(name: string, input: string[], output: string[]): NodeInit {
  return { ...node(name, input, output), domain: 'local' };
}

/** What a model needs to have functions, by name. Each goes from `a` to `b`, unless it has other inputs or outputs. */
export function functionsOf(
  functions: Readonly<Record<string, readonly NodeInit[]>>,
  more: object = {},
): Partial<ModelInit> {
  const opsetImport = ['', 'local'].map((domain) => ({ domain, version: domain === '' ? 17 : 1 }));
  const all = Object.entries(functions).map(([name, nodes]) => ({
    ...{ name, domain: 'local', input: ['a'], output: ['b'], node: nodes, opsetImport, ...more },
  }));
  return { functions: all, opsetImport };
}

/** A chain of `layers` matrix products, each with a bias and a Tanh: 3 nodes per layer, one tensor between layers. */
export function mlp(layers: number, width = 16): ModelInit {
  const nodes: NodeInit[] = [];
  const initializer: TensorInit[] = [];
  let current = 'x';
  for (let layer = 0; layer < layers; layer++) {
    initializer.push(floats(`w${layer}`, [width, width]), floats(`b${layer}`, [width]));
    nodes.push(
      node('MatMul', [current, `w${layer}`], [`m${layer}`]),
      node('Add', [`m${layer}`, `b${layer}`], [`a${layer}`]),
      node('Tanh', [`a${layer}`], [layer === layers - 1 ? 'y' : `t${layer}`]),
    );
    current = `t${layer}`;
  }
  return {
    graph: {
      node: nodes,
      initializer,
      input: [value('x', FLOAT, ['batch', width])],
      output: [value('y', FLOAT, ['batch', width])],
    },
  };
}

/** The same graph with other weights, as after another training. */
export function retrained(model: ModelInit): ModelInit {
  const initializer = (model.graph.initializer ?? []).map((tensor) => ({
    ...tensor,
    rawData: new Uint8Array(
      new Float32Array((tensor.rawData as Uint8Array).buffer).map((x) => -x / 2).buffer,
    ),
  }));
  return { ...model, graph: { ...model.graph, initializer } };
}

/** Writes a model into a folder, by default a new temporary one, and returns its path. */
export function saveModel(
  model: ModelInit | Uint8Array,
  name = 'model.onnx',
  folder = temporaryFolder(),
): string {
  const file = path.join(folder, name);
  fs.writeFileSync(file, model instanceof Uint8Array ? model : encodeModel(model));
  return file;
}

/** The file of a model that no test changes. The cache has its plans, which need not be made again for each test file. */
export function sharedModel(name: string, model: ModelInit): string {
  const folder = path.join(sharedFolder(), name);
  const file = path.join(folder, 'model.onnx');
  if (fs.existsSync(file)) return file;
  fs.mkdirSync(folder, { recursive: true });
  return saveModel(model, 'model.onnx', folder);
}
