/** Warm calls of the function, of the pipeline and of the bare handler, in turn, and their outputs beside a session in this process. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { NumericTensor, RawTensor } from '../../client';
import { bytesOf, typedView } from '../../lambda/tensors/tensor';
import type { BenchModel } from '../inputs';
import { type Called, deployFunction, WAYS, type Way } from './deployed';

export interface Compared {
  readonly threads: number;
  /** Medians of the calls of each round. */
  readonly rounds: readonly Readonly<Record<Way, Medians>>[];
  /** The largest difference to a default session in this process; 0 if all bits are equal. */
  readonly difference: Readonly<Record<Way, number>>;
  readonly peakBytes: Readonly<Record<Way, number>>;
  /** Of the function's first call, which the plan estimates. */
  readonly firstPeakBytes: number;
  /** Of the function's last call: what it does with tensors besides the run. */
  readonly readMs: number;
  readonly writeMs: number;
  readonly plannedBytes: number;
  readonly memoryMb: number;
}

interface Medians {
  readonly ms: number;
  readonly runMs: number;
}

/** The first calls load the model, and ONNX Runtime allocates memory in the first runs. */
const UNMEASURED = 3;

export async function compare(
  folder: string,
  model: BenchModel,
  { rounds, calls }: { readonly rounds: number; readonly calls: number },
): Promise<Compared> {
  const outdir = path.join(fs.mkdtempSync(path.join(folder, 'model-')), 'assembly');
  const deployed = await deployFunction({ outdir, model });
  try {
    const { threads, inputs, plan, cloud } = deployed;
    const expected = await ownOutputs(model.file, inputs, threads);
    const measured: Record<Way, Medians>[] = [];
    const last = new Map<Way, Called>();
    const peaks = new Map<Way, number>();
    let firstPeakBytes = 0;
    for (let round = 0; round < rounds; round++) {
      // Runs of one process share its addresses, on which their speed depends.
      await cloud.endIdleSandboxes();
      const samples = byWay((): Called[] => []);
      for (let call = -UNMEASURED; call < calls; call++) {
        for (const way of WAYS) {
          const called = await deployed.call(way);
          if (call >= 0) samples[way].push(called);
          last.set(way, called);
          if (way === 'function' && called.timing?.cold)
            firstPeakBytes = Math.max(firstPeakBytes, called.peakMemoryBytes);
          peaks.set(way, Math.max(peaks.get(way) ?? 0, called.peakMemoryBytes));
        }
      }
      measured.push(byWay((way) => mediansOf(samples[way])));
    }
    const { memoryMb = 0, readMs = 0, writeMs = 0 } = last.get('function')?.timing ?? {};
    return {
      ...{ threads, rounds: measured, memoryMb, readMs, writeMs, firstPeakBytes },
      difference: byWay((way) => differenceOf(expected, last.get(way)?.bytes)),
      peakBytes: byWay((way) => peaks.get(way) ?? 0),
      plannedBytes: plan.slices[0].peakMemoryBytes,
    };
  } finally {
    await deployed.close();
    fs.rmSync(path.dirname(outdir), { recursive: true, force: true });
  }
}

function byWay<T>(of: (way: Way) => T): Record<Way, T> {
  return { function: of('function'), pipeline: of('pipeline'), bare: of('bare') };
}

function mediansOf(calls: readonly Called[]): Medians {
  return { ms: median(calls.map(({ ms }) => ms)), runMs: median(calls.map(({ runMs }) => runMs)) };
}

function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}

type Outputs = Readonly<Record<string, Tensor>>;

async function ownOutputs(
  file: string,
  inputs: ReadonlyMap<string, RawTensor>,
  intraOpNumThreads: number,
): Promise<Outputs> {
  const session = await InferenceSession.create(file, { intraOpNumThreads, logSeverityLevel: 3 });
  const feeds = [...inputs].map(([name, tensor]) => {
    const { dtype, shape } = tensor as NumericTensor;
    return [name, new Tensor(dtype, typedView(tensor as NumericTensor) as never, shape)];
  });
  const outputs = await session.run(Object.fromEntries(feeds) as Outputs);
  await session.release();
  return outputs;
}

/** Infinite if an output is missing, has another size, or differs in other elements than floats. */
function differenceOf(
  expected: Outputs,
  got: ReadonlyMap<string, Uint8Array> = new Map<string, Uint8Array>(),
): number {
  const differences = Object.entries(expected).map(([name, { data, type }]) => {
    const [own, other] = [bytesOf(data as unknown as ArrayBufferView), got.get(name)];
    if (other !== undefined && Buffer.compare(own, other) === 0) return 0;
    if (other?.length !== own.length || type !== 'float32') return Infinity;
    const floats = new Float32Array(Uint8Array.from(other).buffer);
    return (data as Float32Array).reduce(
      (most, value, at) => Math.max(most, Math.abs(value - floats[at])),
      0,
    );
  });
  return Math.max(...differences);
}
