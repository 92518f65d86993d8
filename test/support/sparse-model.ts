/** Models with large weights that take no room on the disk. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { FLOAT, floats, mlp, saveModel, temporaryFolder, value } from './model-builder';

/** The width of a layer, whose weights have 144 MiB. */
const WIDTH = 6144;

/** Saves an `mlp` of so many layers with 144 MiB of weights each, all in the same sparse file of zeros. */
export function saveSparseModel(layers: number): string {
  const length = WIDTH * WIDTH * Float32Array.BYTES_PER_ELEMENT;
  const { graph } = mlp(layers);
  const folder = temporaryFolder();
  fs.writeFileSync(path.join(folder, 'zeros'), '');
  fs.truncateSync(path.join(folder, 'zeros'), length);
  const initializer = (graph.initializer ?? []).map(({ name }) =>
    name.startsWith('b')
      ? floats(name, [WIDTH])
      : {
          name,
          dataType: FLOAT,
          dims: [WIDTH, WIDTH],
          dataLocation: 1,
          externalData: [
            { key: 'location', value: 'zeros' },
            { key: 'length', value: String(length) },
          ],
        },
  );
  const ends = {
    input: [value('x', FLOAT, ['batch', WIDTH])],
    output: [value('y', FLOAT, ['batch', WIDTH])],
  };
  return saveModel({ graph: { ...graph, ...ends, initializer } }, 'model.onnx', folder);
}
