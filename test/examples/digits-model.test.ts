/** The model file of the examples. To write it again after a change: `WRITE_DIGITS=1 npx jest test/examples/digits-model`. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { elementsOf } from '../../client';
import { DIGITS, digitsModel, pixelsOf } from '../support/digits-model';
import { saveModel } from '../support/model-builder';
import { runWhole } from '../support/run-slices';
import { float32 } from '../support/tensors';

const EXAMPLES = ['handlers', 'http', 'object-arrival', 'vpc-kms', 'workflow'];

function fileOf(example: string): string {
  return path.join(__dirname, '../../examples', example, 'digits.onnx');
}

if (process.env.WRITE_DIGITS !== undefined) {
  for (const example of EXAMPLES) fs.writeFileSync(fileOf(example), digitsModel());
}

describe('the model of the examples', () => {
  it.each(EXAMPLES)('is in the folder of %s', (example) => {
    expect(fs.readFileSync(fileOf(example)).equals(digitsModel())).toBe(true);
  });

  it('recognizes each digit of its font', async () => {
    const pixels = DIGITS.flatMap((lines) => pixelsOf(lines.join('\n')));
    const inputs = new Map([['pixels', float32([10, 35], pixels)]]);
    const output = (await runWhole(saveModel(digitsModel()), inputs)).get('probabilities');
    if (output === undefined || output.dtype === 'string') throw new Error('the model has no probabilities');
    const probabilities = elementsOf(output) as Float32Array;
    const read = DIGITS.map((_, row) => {
      const of = probabilities.subarray(row * 10, (row + 1) * 10);
      return of.indexOf(Math.max(...of));
    });
    expect(read).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});
