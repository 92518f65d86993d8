/** Measures a process that maps weights. Tests of Lambda's limits allocate memory. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import { canMeasureMemory, memoryOfTree } from '../../../local/lambda/memory-watch';
import { packageRoot } from '../../../lib/host/packages';
import { nodesOf } from '../../support/graph-text';
import { encodeModel } from '../../support/tiny-slice';
import { temporaryFolder } from '../../support/temporary-folder';

const MEGABYTE = 1024 ** 2;

(canMeasureMemory() ? test : test.skip)(
  'memory does not include weights that ONNX Runtime has mapped',
  async () => {
    const count = (64 * MEGABYTE) / 4;
    const folder = temporaryFolder();
    const [file, weights] = ['model.onnx', 'weights'].map((name) => path.join(folder, name));
    const model = encodeModel({
      nodes: nodesOf('Add w one > y'),
      inputs: [{ name: 'one', dtype: 'float32', shape: [1] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: [count] }],
      weights: { name: 'w', count, file: 'weights' },
    });
    fs.writeFileSync(file, model);
    fs.writeFileSync(weights, Buffer.alloc(64 * MEGABYTE, 1));
    const program = `
    const { InferenceSession, Tensor } = require('onnxruntime-node');
    const options = { graphOptimizationLevel: 'disabled', extra: { session: { disable_prepacking: '1' } } };
    InferenceSession.create(${JSON.stringify(file)}, options).then((session) => {
      globalThis.kept = session;
      console.log('ready');
    });
    setInterval(() => undefined, 1e6);`;
    const child = spawn(process.execPath, ['-e', program], {
      cwd: packageRoot(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(createInterface({ input: child.stdout }), 'line');
      const { pid = 0 } = child;
      expect(fs.readFileSync(`/proc/${pid}/maps`, 'latin1')).toContain(weights);
      expect(memoryOfTree(pid, true) / MEGABYTE).toBeLessThan(60);
    } finally {
      child.kill('SIGKILL');
    }
  },
);

test('a process that has ended has none', () => {
  expect(memoryOfTree(2 ** 30, true)).toBe(0);
});
