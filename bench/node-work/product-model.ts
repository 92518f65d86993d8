/** A product of two float32 matrices, by which a profile measures how fast a machine is. */
import { ModelProto } from '../onnx-schema';

/** Rows and columns, as in a profile's `flopsPerSecond`. */
export const PRODUCT_SIZE = 512;

export const PRODUCT_FLOPS = 2 * PRODUCT_SIZE ** 3;

const FLOAT = 1;

/** `y = a b`. Both matrices are inputs. */
export function productModel(): Uint8Array {
  const dim = [{ dimValue: PRODUCT_SIZE }, { dimValue: PRODUCT_SIZE }];
  const matrix = (name: string): object => ({
    name,
    type: { tensorType: { elemType: FLOAT, shape: { dim } } },
  });
  const graph = {
    name: 'product',
    node: [{ opType: 'MatMul', input: ['a', 'b'], output: ['y'] }],
    input: [matrix('a'), matrix('b')],
    output: [matrix('y')],
  };
  const opsetImport = [{ domain: '', version: 17 }];
  return ModelProto.encode(
    ModelProto.create({ irVersion: 8, producerName: 'bench', opsetImport, graph }),
  ).finish();
}
