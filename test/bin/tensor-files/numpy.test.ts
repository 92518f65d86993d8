/** Files of NumPy's own against ours, if the machine has NumPy. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as fc from 'fast-check';
import { readTensorFile, writeTensorFile } from '../../../bin/tensor-files';
import type { InlineTensor } from '../../../contract/execution';
import { decodeInlineTensor } from '../../../lambda/request/inline-tensor';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { comparable, rawTensor } from '../../support/arbitrary-tensors';
import { hasPackages, runPython } from '../../support/python';
import { temporaryFolder } from '../../support/temporary-folder';

const SCRIPT = path.join(__dirname, 'numpy_files.py');

function decoded(tensors: Readonly<Record<string, InlineTensor>>): Map<string, RawTensor> {
  return new Map(Object.entries(tensors).map(([name, tensor]) => [name, decodeInlineTensor(name, tensor)]));
}

(hasPackages('numpy') ? describe : describe.skip)('a file', () => {
  const folder = temporaryFolder();

  it('that NumPy wrote decodes to its array, whatever its dtype, its order, its shape and its version', async () => {
    await runPython([SCRIPT, 'write', folder]);
    const expected = JSON.parse(fs.readFileSync(path.join(folder, 'expected.json'), 'utf8')) as Record<
      string,
      Record<string, InlineTensor>
    >;
    expect(Object.keys(expected)).toHaveLength(302);
    for (const [name, tensors] of Object.entries(expected)) {
      const file = path.join(folder, name);
      const got = await readTensorFile(file, [{ name: 'x', dtype: 'float32', shape: null }]);
      expect([name, comparable(got)]).toEqual([name, comparable(decoded(tensors))]);
    }
  });

  it('that this project writes is what NumPy reads', async () => {
    const tensors = new Map(
      fc.sample(rawTensor, { numRuns: 200, seed: 1 }).map((tensor, index) => [`tensor ${index} ü`, tensor]),
    );
    await writeTensorFile(path.join(folder, 'ours.npz'), tensors);
    const output = await runPython([SCRIPT, 'read', folder]);
    const got = decoded(JSON.parse(output) as Record<string, InlineTensor>);
    expect(comparable(got)).toEqual(comparable(tensors));
  });
});
