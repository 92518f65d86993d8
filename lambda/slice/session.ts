/** An ONNX Runtime session with the settings that make chained slices and the whole model give the same bits. */
import { bytesOf, typedView, type RawTensor } from '../tensors/tensor';
import { InferenceSession, Tensor } from './onnxruntime';

interface SessionSettings {
  /** Path of the model; weights beside it are mapped into memory. */
  readonly path: string;
  /** Threads of the intra-operator pool. Some models' results depend on it. */
  readonly threads: number;
  /**
   * How far ONNX Runtime optimizes the graph before it runs it.
   *
   * @default 'disabled' - slices are cut from an optimized graph; optimized once more, a fusion would depend on the cut
   */
  readonly graphOptimizationLevel?: 'disabled' | 'basic' | 'extended';
}

/** Fatal faults only: what ONNX Runtime logs as an error it also throws, and it warns of much that is harmless. */
const LOG_FATAL = 4;

export class Session {
  private constructor(private readonly session: InferenceSession) {}

  static async open({
    path,
    threads,
    graphOptimizationLevel = 'disabled',
  }: SessionSettings): Promise<Session> {
    return new Session(
      await InferenceSession.create(path, {
        graphOptimizationLevel,
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        enableMemPattern: false,
        enableCpuMemArena: true,
        logSeverityLevel: LOG_FATAL,
        // Nested keys reach ONNX Runtime joined by dots. Prepacking changes results and copies mapped weights;
        // spinning threads steal the CPU from what runs beside them.
        extra: { session: { disable_prepacking: '1', intra_op: { allow_spinning: '0' } } },
      }),
    );
  }

  /** A session with the settings of someone who gives none: all optimizations, prepacking, all processors. */
  static async openDefault(path: string): Promise<Session> {
    return new Session(await InferenceSession.create(path, { logSeverityLevel: LOG_FATAL }));
  }

  get inputNames(): readonly string[] {
    return this.session.inputNames;
  }

  get outputNames(): readonly string[] {
    return this.session.outputNames;
  }

  /** Runs the model for the named outputs, which come in the order asked for. */
  async run(
    inputs: ReadonlyMap<string, RawTensor>,
    outputs: readonly string[],
  ): Promise<Map<string, RawTensor>> {
    const feeds = Object.fromEntries([...inputs].map(([name, tensor]) => [name, toOrt(tensor)]));
    const results = await this.session.run(feeds, [...new Set(outputs)]);
    return new Map(outputs.map((name) => [name, fromOrt(name, results[name])]));
  }

  release(): Promise<void> {
    return this.session.release();
  }
}

function toOrt(tensor: RawTensor): Tensor {
  if (tensor.dtype === 'string') return new Tensor('string', tensor.strings, tensor.shape);
  // The constructor's types tie each element type to its array, which typedView does but cannot say.
  return new Tensor(tensor.dtype, typedView(tensor) as never, tensor.shape);
}

function fromOrt(name: string, tensor: Tensor | undefined): RawTensor {
  if (tensor === undefined) throw new Error(`the model gave no output '${name}'`);
  const { type, dims: shape, data } = tensor;
  if (type === 'string') return { dtype: type, shape, strings: data as string[] };
  if (type === 'int4' || type === 'uint4')
    throw new Error(`output '${name}' is ${type}, which cannot be fetched`);
  return { dtype: type, shape, bytes: bytesOf(data as ArrayBufferView) };
}
