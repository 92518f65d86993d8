/**
 * An ONNX Runtime session with settings under which chained slices compute the same bits as the whole model. docs/performance.md has figures.
 *
 * - Prepacking is on by default: loading takes longer once, and each run is faster. The last bits of some models depend on it, so all slices
 *   and the whole model have the same setting.
 * - Spinning is off: threads that spin take the processor from other threads.
 * - The arena is on: without it one model was slower and took more memory. The memory pattern is off: it made no slice faster. A function of a
 *   whole model has it, as a default session does: a graph of many small nodes ran in 0.74 ms instead of 0.91 ms.
 * - The whole model was optimized before it was cut: fusions depend on the cuts.
 */
import './ort-telemetry';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { GraphLevel } from './environment';
import { bytesOf, typedView, type RawTensor } from '../tensors/tensor';

interface SessionSettings {
  /** Path of the model, beside which its weights are, or a model with its weights in `weightsFolder`. ONNX Runtime memory-maps them. */
  readonly path: string | Uint8Array;
  readonly weightsFolder?: string;
  /** Number of threads in the intra-operator pool. The results of some models depend on it. */
  readonly threads: number;
  /**
   * How far ONNX Runtime optimizes the graph when it creates the session.
   *
   * @default 'disabled' - slices are cut from an optimized graph; if optimized again, fusions would depend on the cuts
   */
  readonly graphOptimizationLevel?: GraphLevel;
  /** Whether ONNX Runtime rewrites weights for its kernels when it creates the session. @default true */
  readonly prepacking?: boolean;
  readonly profilePrefix?: string;
}

/** Log only fatal faults: ONNX Runtime also throws the errors that it logs, and many of its warnings are harmless. */
const LOG_FATAL = 4;

export class Session {
  private constructor(private readonly session: InferenceSession) {}

  static async open({
    path,
    threads,
    graphOptimizationLevel = 'disabled',
    prepacking = true,
    profilePrefix,
    weightsFolder,
  }: SessionSettings): Promise<Session> {
    return new Session(
      // Its types have one signature for each kind of model.
      await InferenceSession.create(path as string, {
        graphOptimizationLevel,
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        enableMemPattern: graphOptimizationLevel === 'all',
        enableCpuMemArena: true,
        logSeverityLevel: LOG_FATAL,
        ...(profilePrefix !== undefined && { enableProfiling: true, profileFilePrefix: profilePrefix }),
        // ONNX Runtime receives nested keys joined by dots.
        extra: {
          session: {
            intra_op: { allow_spinning: '0' },
            ...(!prepacking && { disable_prepacking: '1' }),
            ...(weightsFolder !== undefined && {
              model_external_initializers_file_folder_path: weightsFolder,
            }),
          },
        },
      }),
    );
  }

  /** A session with ONNX Runtime's default settings: all optimizations, prepacking, all processors. */
  static async openDefault(path: string): Promise<Session> {
    return new Session(await InferenceSession.create(path, { logSeverityLevel: LOG_FATAL }));
  }

  get inputNames(): readonly string[] {
    return this.session.inputNames;
  }

  get outputNames(): readonly string[] {
    return this.session.outputNames;
  }

  async run(
    inputs: ReadonlyMap<string, RawTensor>,
    outputs: readonly string[],
  ): Promise<Map<string, RawTensor>> {
    const feeds = Object.fromEntries([...inputs].map(([name, tensor]) => [name, toOrt(tensor)]));
    const results = await this.session.run(feeds, [...new Set(outputs)]);
    return new Map(outputs.map((name) => [name, fromOrt(name, results[name])]));
  }

  endProfiling(): void {
    this.session.endProfiling();
  }

  release(): Promise<void> {
    return this.session.release();
  }
}

function toOrt(tensor: RawTensor): Tensor {
  if (tensor.dtype === 'string') return new Tensor('string', tensor.strings, tensor.shape);
  // The constructor's types require the array type of the element type; `typedView` returns it as a union.
  return new Tensor(tensor.dtype, typedView(tensor) as never, tensor.shape);
}

function fromOrt(name: string, tensor: Tensor | undefined): RawTensor {
  if (tensor === undefined) throw new Error(`the model returned no output '${name}'`);
  const { type, dims: shape, data } = tensor;
  if (type === 'string') return { dtype: type, shape, strings: data as string[] };
  if (type === 'int4' || type === 'uint4')
    throw new Error(
      `output '${name}' has the unsupported type ${type}: cast it to int8 or uint8 in the model`,
    );
  return { dtype: type, shape, bytes: bytesOf(data as ArrayBufferView) };
}

/**
 * When ONNX Runtime's JavaScript code creates its first tensor, it decides whether float16 elements are in a
 * `Float16Array`, which Node.js has from version 24 on. The native code of 1.30.0 does not know that type and takes
 * the tensor for empty ("not enough space: expected 98304, got 0"). So this hides `Float16Array` while the first
 * tensor is created: ONNX Runtime then uses `Uint16Array`, which works everywhere.
 */
function useUint16ForFloat16(): void {
  const float16Array = Object.getOwnPropertyDescriptor(globalThis, 'Float16Array');
  if (float16Array === undefined) return;
  Reflect.deleteProperty(globalThis, 'Float16Array');
  try {
    new Tensor('bool', new Uint8Array(1), [1]);
  } finally {
    Object.defineProperty(globalThis, 'Float16Array', float16Array);
  }
}

useUint16ForFloat16();
