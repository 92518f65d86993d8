/** Cuts one product whose weight is larger than most machines' memory, and compares the command with copying and hashing the file. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { run } from '../measure';
import { PROGRAM } from '../synthesize';
import { type LayerModel, ModelFile } from './model-file';

/** As the library copies. */
const COPY_BYTES = 2 ** 20;
const ROWS = 4096;
const PART = '512MB';

export const COPYING_HEAD = [
  'weight of 5.6 GB',
  'runs of bytes',
  'MB at peak',
  'MB for a tiny model',
  's',
  's of copying',
  'ratio',
];

const LAYOUTS: readonly { title: string; runs: string; dims: readonly [number, number]; transB?: number }[] =
  [
    { title: 'Gemm, transB', runs: 'whole ranges', dims: [341_760, ROWS], transB: 1 },
    { title: 'MatMul, wide rows', runs: '124 KB', dims: [ROWS, 341_760] },
    { title: 'MatMul, short rows', runs: '1.5 KB', dims: [341_760, ROWS] },
  ];

/** @returns the rows of the table */
export function measureCopying(folder: string): string[][] {
  return LAYOUTS.map((layout) => {
    const own = fs.mkdtempSync(path.join(folder, 'copying-'));
    try {
      const tiny = sliced(own, product(path.join(own, 'tiny'), [256, 256], layout.transB));
      const model = product(path.join(own, 'model'), layout.dims, layout.transB);
      // Before and after, because the file system may be busy for a while.
      const before = copied(model.weightsFile);
      const { seconds, peakMb } = sliced(own, model);
      const copy = (before + copied(model.weightsFile)) / 2;
      const peaks = [peakMb, tiny.peakMb].map((mb) => mb.toFixed(0));
      const times = [seconds.toFixed(1), copy.toFixed(1), (seconds / copy).toFixed(2)];
      return [layout.title, layout.runs, ...peaks, ...times];
    } finally {
      fs.rmSync(own, { recursive: true });
    }
  });
}

function product(folder: string, dims: readonly [number, number], transB?: number): LayerModel {
  const model = new ModelFile(folder);
  const x = model.input('x', 'float32', [1, dims[transB ?? 0]]);
  const weight = model.floats(dims, 0.02);
  const y =
    transB === undefined ? model.node('MatMul', [x, weight]) : model.node('Gemm', [x, weight], { transB });
  return model.save('product', y);
}

/** Runs `sliced-inference slice` in a cache of its own. */
function sliced(folder: string, { file }: LayerModel): { readonly seconds: number; readonly peakMb: number } {
  const [out, peaks, cache] = ['out', 'peaks', 'cache'].map((name) => path.join(folder, name));
  const env = {
    NODE_OPTIONS: `--require ${path.join(__dirname, 'peak.js')}`,
    BENCH_PEAKS: peaks,
    SLICED_INFERENCE_CACHE: cache,
  };
  const start = performance.now();
  run(process.execPath, ['--no-warnings', PROGRAM, 'slice', file, '--max-slice-size', PART, '--out', out], {
    env,
  });
  const seconds = (performance.now() - start) / 1000;
  const kilobytes = fs.readFileSync(peaks, 'utf8').trim().split('\n').map(Number);
  for (const written of [out, peaks, cache]) fs.rmSync(written, { recursive: true, force: true });
  return { seconds, peakMb: (Math.max(...kilobytes) * 1024) / 1e6 };
}

/** Seconds of copying a file and computing its SHA-256. */
function copied(file: string): number {
  const start = performance.now();
  const copy = `${file}.copy`;
  const [source, target] = [fs.openSync(file, 'r'), fs.openSync(copy, 'wx')];
  const [hash, buffer] = [createHash('sha256'), Buffer.allocUnsafe(COPY_BYTES)];
  for (let length = fs.readSync(source, buffer); length > 0; length = fs.readSync(source, buffer)) {
    hash.update(buffer.subarray(0, length));
    fs.writeSync(target, buffer, 0, length);
  }
  hash.digest();
  for (const descriptor of [source, target]) fs.closeSync(descriptor);
  const seconds = (performance.now() - start) / 1000;
  fs.rmSync(copy);
  return seconds;
}
