/** A model that computes for long: products of many rows with one weight, so that its files stay small. */
import { FLOAT, floats, node, saveModel, value } from './model-builder';

const WIDTH = 1024;
const ROWS = 100_000;

/** Floating point operations of a product of the planned rows: two for each row, input and output. */
export const HEAVY_PRODUCT = 2 * ROWS * WIDTH ** 2;

/** At most of a vCPU of Lambda: 3.5 GHz, and two units that multiply and add eight numbers. */
export const MOST_PER_SECOND = 3.5e9 * 2 * 2 * 8;

export const HEAVY_DIMENSIONS = { rows: ROWS };

/** The path of a model with so many products. */
export function heavyModel(products: number): string {
  const name = (product: number): string => (product === products ? 'y' : `t${product}`);
  return saveModel({
    graph: {
      node: Array.from({ length: products }, (_, product) =>
        node('MatMul', [product === 0 ? 'x' : name(product), 'w'], [name(product + 1)]),
      ),
      initializer: [floats('w', [WIDTH, WIDTH])],
      input: [value('x', FLOAT, ['rows', WIDTH])],
      output: [value('y', FLOAT, ['rows', WIDTH])],
    },
  });
}
