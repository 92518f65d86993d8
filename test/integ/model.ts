/** The model of the pipelines: three layers of 16 values, made in code. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { InlineTensor } from '../../client';
import { mlp, saveModel } from '../support/model-builder';

/** Number of values in a row of `x` and `y`. */
export const WIDTH = 16;

/** Writes the model into a new folder, which is removed when the process ends. Returns its path. */
export function writeModel(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-integ-'));
  process.once('exit', () => {
    fs.rmSync(folder, { recursive: true, force: true });
  });
  return saveModel(mlp(3, WIDTH), 'model.onnx', folder);
}

/** An input `x`. */
export function inputRows(rows: number): InlineTensor {
  const data = Array.from({ length: rows * WIDTH }, (_, index) => Math.fround(Math.cos(index)));
  return { dtype: 'float32', shape: [rows, WIDTH], data };
}
