/** Loads ONNX Runtime without telemetry, and with the elements of float16 tensors in a `Uint16Array`. */
import './ort-telemetry';
import { InferenceSession, Tensor } from 'onnxruntime-node';

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

export { InferenceSession, Tensor };
