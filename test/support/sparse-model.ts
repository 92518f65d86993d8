/** Models of any size on a small disk: the external data is a sparse file, in which all weights are 0. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { FLOAT, node, saveModel, temporaryFolder, value } from './model-builder';

/** Each weight has 256 MiB. */
const WIDTH = 8_192;
const WEIGHT_BYTES = WIDTH * WIDTH * 4;

/** A chain of so many products with a weight of 256 MiB, each with a Tanh. Returns the path of the model. */
export function sparseModel(products: number): string {
  const folder = temporaryFolder();
  const data = path.join(folder, 'model.data');
  fs.writeFileSync(data, '');
  fs.truncateSync(data, products * WEIGHT_BYTES);
  const layers = Array.from({ length: products }, (_, layer) => layer);
  const nodes = layers.flatMap((layer) => [
    node('MatMul', [layer === 0 ? 'x' : `t${layer - 1}`, `w${layer}`], [`m${layer}`]),
    node('Tanh', [`m${layer}`], [layer === products - 1 ? 'y' : `t${layer}`]),
  ]);
  const weights = layers.map((layer) => ({
    name: `w${layer}`,
    dataType: FLOAT,
    dims: [WIDTH, WIDTH],
    dataLocation: 1,
    externalData: Object.entries({
      location: 'model.data',
      offset: layer * WEIGHT_BYTES,
      length: WEIGHT_BYTES,
    }).map(([key, entry]) => ({ key, value: String(entry) })),
  }));
  const graph = {
    node: nodes,
    initializer: weights,
    input: [value('x', FLOAT, [1, WIDTH])],
    output: [value('y', FLOAT, [1, WIDTH])],
  };
  return saveModel({ graph }, 'model.onnx', folder);
}
