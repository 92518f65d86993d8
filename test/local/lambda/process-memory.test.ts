/** Measures a process that maps weights. Tests of Lambda's limits allocate memory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import { canMeasureMemory, memoryOfTree } from '../../../local/lambda/process-memory';
import { packageRoot } from '../../../lib/host/package-files';
import { encodeModel } from '../../support/tiny-slice';
import { temporaryFolder } from '../../support/temporary-folder';

const MEGABYTE = 1024 ** 2;
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** Runs a program, and returns its process id once it has printed a line. */
async function running(program: string): Promise<number> {
  const child = spawn(process.execPath, ['-e', `${program}; setInterval(() => undefined, 1e6);`], {
    cwd: packageRoot(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  await once(createInterface({ input: child.stdout }), 'line');
  return child.pid ?? 0;
}

(canMeasureMemory() ? describe : describe.skip)('the memory of a process', () => {
  test('does not include weights that ONNX Runtime has mapped', async () => {
    const count = (64 * MEGABYTE) / 4;
    const folder = temporaryFolder();
    const spec = (name: string) => ({ name, dtype: 'float32' as const, shape: [count] });
    const model = encodeModel({
      nodes: [{ op: 'Add', inputs: ['w', 'one'], outputs: ['y'] }],
      inputs: [{ name: 'one', dtype: 'float32', shape: [1] }],
      outputs: [spec('y')],
      weights: { name: 'w', values: Array<number>(count).fill(0), file: 'weights' },
    });
    fs.writeFileSync(path.join(folder, 'model.onnx'), model);
    fs.writeFileSync(path.join(folder, 'weights'), Buffer.alloc(64 * MEGABYTE, 1));
    const pid = await running(`
      const { InferenceSession, Tensor } = require('onnxruntime-node');
      const options = { graphOptimizationLevel: 'disabled', extra: { session: { disable_prepacking: '1' } } };
      InferenceSession.create(${JSON.stringify(path.join(folder, 'model.onnx'))}, options).then((session) => {
        globalThis.kept = session;
        console.log('ready');
      })`);
    const maps = fs.readFileSync(`/proc/${pid}/maps`, 'latin1');
    expect(maps).toContain(path.join(folder, 'weights'));
    expect(memoryOfTree(pid, true) / MEGABYTE).toBeLessThan(60);
  });
});

test('a process that has ended has none', () => {
  expect(memoryOfTree(2 ** 30, true)).toBe(0);
});
