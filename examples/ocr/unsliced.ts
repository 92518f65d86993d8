/** Runs whole models in ONNX Runtime on this machine, to compare the slices with them. */
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** A float32 tensor. */
export interface Floats {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/**
 * Runs a model with one input and one output, with the settings of the slice functions: see
 * https://github.com/cdk-sliced-inference/cdk-sliced-inference/blob/main/docs/props-and-slicing.md#what-identical-means.
 * @param threads those of the functions, because results may depend on their number
 */
export async function runUnsliced(modelPath: string, threads: number, x: Floats): Promise<Floats> {
  const session = await InferenceSession.create(modelPath, {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    enableMemPattern: false,
    logSeverityLevel: 4,
  });
  const outputs = await session.run({ x: new Tensor('float32', x.data, x.shape) });
  const { dims, data } = outputs[session.outputNames[0]];
  await session.release();
  return { shape: dims, data: data as Float32Array };
}
