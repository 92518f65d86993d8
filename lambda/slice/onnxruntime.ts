/** ONNX Runtime as every session here loads it: without telemetry, and with float16 as bit patterns. */
import './ort-telemetry';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/**
 * Its JavaScript side decides at the first tensor whether float16 lies in a `Float16Array`, which Node has from
 * version 24 on. The native side of 1.30.0 does not know that type and takes the tensor for empty ("not enough
 * space: expected 98304, got 0"): let the decision fall for `Uint16Array`, which works everywhere.
 */
function decideFloat16(): void {
  const float16Array = Object.getOwnPropertyDescriptor(globalThis, 'Float16Array');
  if (float16Array === undefined) return;
  Reflect.deleteProperty(globalThis, 'Float16Array');
  try {
    new Tensor('bool', new Uint8Array(1), [1]);
  } finally {
    Object.defineProperty(globalThis, 'Float16Array', float16Array);
  }
}

decideFloat16();

export { InferenceSession, Tensor };
