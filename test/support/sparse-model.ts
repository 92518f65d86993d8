/** Models of any size on a small disk: the external data is a sparse file, in which all weights are 0. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { FLOAT, node, saveModel, temporaryFolder, value } from './model-builder';

/** A width with which each weight has 256 MiB. */
const WIDE = 8_192;

/** A chain of so many products with weights of `width` squared float32, each with a Tanh. Returns the path of the model. */
export function sparseModel(products: number, width = WIDE): string {
  const weightBytes = width * width * 4;
  const folder = temporaryFolder();
  const data = path.join(folder, 'model.data');
  fs.writeFileSync(data, '');
  fs.truncateSync(data, products * weightBytes);
  const layers = Array.from({ length: products }, (_, layer) => layer);
  const nodes = layers.flatMap((layer) => [
    node('MatMul', [layer === 0 ? 'x' : `t${layer - 1}`, `w${layer}`], [`m${layer}`]),
    node('Tanh', [`m${layer}`], [layer === products - 1 ? 'y' : `t${layer}`]),
  ]);
  const weights = layers.map((layer) => ({
    name: `w${layer}`,
    dataType: FLOAT,
    dims: [width, width],
    dataLocation: 1,
    externalData: Object.entries({
      location: 'model.data',
      offset: layer * weightBytes,
      length: weightBytes,
    }).map(([key, entry]) => ({ key, value: String(entry) })),
  }));
  const graph = {
    node: nodes,
    initializer: weights,
    input: [value('x', FLOAT, [1, width])],
    output: [value('y', FLOAT, [1, width])],
  };
  return saveModel({ graph }, 'model.onnx', folder);
}
