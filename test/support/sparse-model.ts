/** Models of any size on a small disk: the external data is a sparse file, in which all weights are 0. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { graphOf } from './graph-text';
import { type GraphInit, FLOAT, external, saveModel, temporaryFolder, value } from './model-builder';

/**
 * @param weights by name: the dimensions of a float32 initializer
 * @returns the path of the model
 */
export function saveSparse(graph: GraphInit, weights: ReadonlyMap<string, readonly number[]>): string {
  const folder = temporaryFolder();
  const location = 'model.data';
  let offset = 0;
  const initializer = [...weights].map(([name, dims]) => {
    const length = dims.reduce((product, size) => product * size, 4);
    const place = { location, offset: String(offset), length: String(length) };
    offset += length;
    return external(name, dims, place);
  });
  fs.writeFileSync(path.join(folder, location), '');
  fs.truncateSync(path.join(folder, location), offset);
  const all = [...initializer, ...(graph.initializer ?? [])];
  return saveModel({ graph: { ...graph, initializer: all } }, 'model.onnx', folder);
}

/** A width with which each weight has 256 MiB. */
const WIDE = 8_192;

/** A chain of so many products with weights of `width` squared float32, each with a Tanh. Returns the path of the model. */
export function sparseModel(products: number, width = WIDE): string {
  const layers = Array.from({ length: products }, (_, layer) => layer);
  const nodes = layers.map((layer) => {
    const [from, to] = [layer === 0 ? 'x' : `t${layer - 1}`, layer === products - 1 ? 'y' : `t${layer}`];
    return `MatMul ${from} w${layer} > m${layer}; Tanh m${layer} > ${to}`;
  });
  const graph = graphOf(nodes.join('; '), {
    input: [value('x', FLOAT, [1, width])],
    output: [value('y', FLOAT, [1, width])],
  });
  return saveSparse(graph, new Map(layers.map((layer) => [`w${layer}`, [width, width]])));
}
