/** A Lambda handler as one writes it without this library: a default session, and tensors as base64 in JSON. Nothing of this package is in it. */
import * as fs from 'node:fs';
import type * as onnxRuntime from 'onnxruntime-node';

export interface BareTensor {
  readonly dtype: onnxRuntime.Tensor.Type;
  readonly shape: readonly number[];
  readonly base64: string;
}

export type BareTensors = Readonly<Record<string, BareTensor>>;

export interface BareAnswer {
  readonly tensors: BareTensors;
  /** Time of ONNX Runtime's run. */
  readonly runMs: number;
  readonly peakMemoryBytes: number;
}

const ARRAYS = {
  ...{ float32: Float32Array, float64: Float64Array, float16: Uint16Array, bool: Uint8Array },
  ...{ int8: Int8Array, int16: Int16Array, int32: Int32Array, int64: BigInt64Array },
  ...{ uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, uint64: BigUint64Array },
};

// eslint-disable-next-line @typescript-eslint/no-require-imports -- the benchmark's own package, whose path is known at run time only
const ort = require(process.env.ONNX_RUNTIME ?? '') as typeof onnxRuntime;
let loading: Promise<onnxRuntime.InferenceSession> | undefined;

export async function handler(event: {
  readonly threads: number;
  readonly tensors: BareTensors;
}): Promise<BareAnswer> {
  loading ??= ort.InferenceSession.create(process.env.MODEL ?? '', {
    intraOpNumThreads: event.threads,
    logSeverityLevel: 3,
  });
  const session = await loading;
  const feeds = Object.fromEntries(Object.entries(event.tensors).map(([name, own]) => [name, decode(own)]));
  const start = performance.now();
  const results = await session.run(feeds);
  const runMs = performance.now() - start;
  const tensors = Object.fromEntries(Object.entries(results).map(([name, own]) => [name, encode(own)]));
  return { tensors, runMs, peakMemoryBytes: peakBytes() };
}

function decode({ dtype, shape, base64 }: BareTensor): onnxRuntime.Tensor {
  const { buffer, byteOffset, length } = Buffer.from(base64, 'base64');
  const own = ARRAYS[dtype as keyof typeof ARRAYS];
  return new ort.Tensor(dtype, new own(buffer, byteOffset, length / own.BYTES_PER_ELEMENT) as never, shape);
}

function encode({ type, dims, data }: onnxRuntime.Tensor): BareTensor {
  const { buffer, byteOffset, byteLength } = data as Uint8Array;
  return { dtype: type, shape: dims, base64: Buffer.from(buffer, byteOffset, byteLength).toString('base64') };
}

/** Of this process alone: `process.resourceUsage()` also has the peak of the process that started it. */
function peakBytes(): number {
  const status = fs.existsSync('/proc/self/status') ? fs.readFileSync('/proc/self/status', 'latin1') : '';
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
