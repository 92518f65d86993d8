/** Measures processes that allocate, map and start processes. */
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

const ALLOCATE = `globalThis.kept = Buffer.alloc(${100 * MEGABYTE}, 1); console.log('ready')`;

(canMeasureMemory() ? describe : describe.skip)('the memory of a process', () => {
  test('grows by what it allocates', async () => {
    const idle = memoryOfTree(await running("console.log('ready')"), true);
    const allocating = memoryOfTree(await running(ALLOCATE), true);
    expect((allocating - idle) / MEGABYTE).toBeGreaterThan(95);
    expect((allocating - idle) / MEGABYTE).toBeLessThan(130);
  });

  test('includes the processes that it started', async () => {
    const child = JSON.stringify(ALLOCATE + '; setInterval(() => undefined, 1e6)');
    const parent = await running(
      `const child = require('node:child_process').spawn(process.execPath, ['-e', ${child}]);
       child.stdout.on('data', () => console.log('ready')); process.on('exit', () => child.kill('SIGKILL'))`,
    );
    expect(memoryOfTree(parent, true) / MEGABYTE).toBeGreaterThan(100);
    for (const thread of fs.readdirSync(`/proc/${parent}/task`)) {
      const started = fs.readFileSync(`/proc/${parent}/task/${thread}/children`, 'latin1').trim();
      if (started !== '') process.kill(Number(started), 'SIGKILL');
    }
  });

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
