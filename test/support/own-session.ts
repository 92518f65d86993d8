/** The user's own session of ONNX Runtime, with its default options. */
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** Returns the output `y` of a model for the rows of its input `x`. @param threads by default, those of a function of one vCPU */
export async function ownSession(
  model: string,
  x: Float32Array,
  columns = 16,
  threads = 1,
): Promise<Float32Array> {
  const session = await InferenceSession.create(model, { intraOpNumThreads: threads });
  const { y } = await session.run({ x: new Tensor('float32', x, [x.length / columns, columns]) });
  return (await y.getData()) as Float32Array;
}
