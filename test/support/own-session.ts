/** The user's own session of ONNX Runtime, with its default options. */
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** Returns the output `y` of a model for the rows of its input `x`, of 16 columns, computed with as many threads as a function of one vCPU. */
export async function ownSession(model: string, x: Float32Array): Promise<Float32Array> {
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1 });
  const { y } = await session.run({ x: new Tensor('float32', x, [x.length / 16, 16]) });
  return (await y.getData()) as Float32Array;
}
