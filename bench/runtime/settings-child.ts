/** Loads a model with given ONNX Runtime settings and runs it several times; prints times and memory as JSON. */
import type { InferenceSession } from 'onnxruntime-node';
import { InferenceSession as Sessions, Tensor } from '../../lambda/slice/onnxruntime';
import { peakMemoryBytes } from '../../lambda/telemetry/peak-memory';
import { typedView } from '../../lambda/tensors/tensor';
import { benchInputs, type BenchModel } from './models';

export interface SettingsResult {
  readonly loadMs: number;
  readonly firstRunMs: number;
  readonly runMs: readonly number[];
  readonly peakBytes: number;
}

const RUNS = 15;

async function main(model: BenchModel, options: InferenceSession.SessionOptions): Promise<SettingsResult> {
  const feeds = Object.fromEntries(
    [...benchInputs(model)].flatMap(([name, tensor]) =>
      tensor.dtype === 'string'
        ? []
        : [[name, new Tensor(tensor.dtype, typedView(tensor) as never, tensor.shape)] as const],
    ),
  );
  const start = performance.now();
  const session = await Sessions.create(model.file, options);
  const loadMs = performance.now() - start;
  const runMs: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const before = performance.now();
    await session.run(feeds);
    runMs.push(performance.now() - before);
  }
  const [firstRunMs, ...later] = runMs;
  return { loadMs, firstRunMs, runMs: later, peakBytes: peakMemoryBytes() };
}

if (require.main === module) {
  const [model, options] = process.argv.slice(2);
  void main(JSON.parse(model) as BenchModel, JSON.parse(options) as InferenceSession.SessionOptions).then(
    (result) => process.stdout.write(JSON.stringify(result)),
  );
}
