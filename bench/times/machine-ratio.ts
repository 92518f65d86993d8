/** How long this machine takes beside the core of `lambda-class-x86.tsv`. */
import * as path from 'node:path';
import { kernelMs } from './kernel-time';
import { writeOperator } from './operators';
import { tableRows } from './table';

/** Rows of the table that tell how fast a machine is: products, convolutions, functions and memory. */
const KERNELS = [
  'MatMul float32 128x768x768',
  'MatMul float32 24x768x3072',
  'Conv float32 128->128 3x3 at 28, stride 1, groups 1',
  'Conv float32 64->256 1x1 at 56, stride 1, groups 1',
  'Conv float32 64->64 3x3 at 56, stride 1, groups 64',
  'Sigmoid 393216',
  'Add 1572864',
];

/** The geometric mean of the kernels. */
export async function machineRatio(folder: string): Promise<number> {
  const rows = tableRows().filter(
    ({ operator, shape, prepacking }) => prepacking && KERNELS.includes(`${operator} ${shape}`),
  );
  const file = path.join(folder, 'kernel.onnx');
  let sum = 0;
  for (const { operator, shape, referenceMs } of rows) {
    writeOperator(file, operator, shape);
    sum += Math.log((await kernelMs(file, true, 20)) / referenceMs);
  }
  return Math.exp(sum / rows.length);
}
