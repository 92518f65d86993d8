/** The example of a large transformer, with a small one. */
import * as path from 'node:path';
import { lineOf } from '../../examples/large-transformer/call';
import { Example, serve } from '../support/example';
import { succeed } from '../support/run-cli';

describe('the large transformer', () => {
  const transformer = new Example('large-transformer');
  const model = path.join(transformer.folder, 'model.onnx');

  beforeAll(async () => {
    const { stdout } = await transformer.run('write-model', ['--gigabytes', '0.02', '--hidden', '256']);
    expect(stdout).toBe('model.onnx: 4 layers, 0.02 GB of weights in model.weights\n');
  });

  it('gets a verdict from `plan`', async () => {
    const plan = await succeed(['plan', model, '--slices', '4', '--dimension', 'sequence=128']);
    expect(plan).toMatch(/one function would do/i);
  });

  it('has slices with the bits of the whole model', async () => {
    const verified = await succeed(['verify', model, '--slices', '4', '--dimension', 'sequence=128']);
    expect(verified).toContain('4 slices and the whole model are identical');
  });

  it('runs in the local cloud, where no function needs the memory of the whole', async () => {
    const served = await serve(await transformer.synthesize({ slices: 4 }));
    const { stdout } = await transformer.run('call', [], served.environment);
    expect(await served.stop()).toMatchObject({ stderr: '', leftovers: [] });
    const lines = [...stdout.matchAll(/^slice \d: (\d+) MB of weights, (\d+) MB at the peak$/gm)];
    const weights = lines.map(([, megabytes]) => Number(megabytes));
    expect(weights).toHaveLength(4);
    expect(Math.max(...weights)).toBeLessThan(15);
    expect(stdout).toMatch(/\nembeddings: float32\[1,128,256\]\n$/);
  });

  it('names what served the run: a slice, or the whole model', () => {
    const call = {
      ...{ startedAt: 0, cold: true, warmedUp: false, loadMs: 1, readMs: 1, runMs: 1, writeMs: 1 },
      ...{
        bytesRead: 1,
        bytesWritten: 1,
        weightBytes: 52 * 2 ** 20,
        peakMemoryBytes: 162 * 2 ** 20,
        memoryMb: 256,
      },
    };
    expect(lineOf({ ...call, slice: 1 })).toBe('slice 1: 52 MB of weights, 162 MB at the peak');
    expect(lineOf({ ...call, whole: true })).toBe('whole model: 52 MB of weights, 162 MB at the peak');
  });

  it.each([
    ['--gigabytes', '0'],
    ['--hidden', '100'],
  ])('refuses %s %s', async (flag, value) => {
    await expect(transformer.run('write-model', [flag, value])).rejects.toThrow(
      '--gigabytes must be above 0 and --hidden a multiple of 64',
    );
  });
});
