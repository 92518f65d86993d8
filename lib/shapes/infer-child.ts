/**
 * Entry point of a child process: opens the model at the path in its argument with ONNX Runtime and prints the types of
 * the outputs as JSON. Synthesis is synchronous and creating a session is not, and a model that crashes ONNX Runtime
 * must not crash the caller.
 */
import type { Dimension } from '../../contract/tensors';

/** One output of the session. */
export interface SessionOutput {
  /** A number of `TensorProto.DataType`; absent when the output is not a tensor. */
  readonly elementType?: number;
  readonly shape: readonly Dimension[];
}

export interface InferAnswer {
  readonly outputs: readonly SessionOutput[];
}

/** The native binding of onnxruntime-node 1.30.0. */
interface RawBinding {
  readonly initOrt: () => void;
  readonly binding: { readonly InferenceSession: new () => RawSession };
}
interface RawSession {
  loadModel(path: string, options: object): void;
  readonly outputMetadata: readonly {
    readonly isTensor: boolean;
    readonly type: number;
    readonly shape: readonly number[];
    readonly symbolicDimensions: readonly string[];
  }[];
}

export function inferOutputTypes(modelPath: string): InferAnswer | { readonly error: string } {
  process.env.ORT_DISABLE_TELEMETRY = '1';
  // The public API refuses a session with an output of bfloat16 or float8; the binding returns the number of the type.
  // The version of onnxruntime-node is pinned, so this path does not change.
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded after the variable above is set
  const { initOrt, binding } = require('onnxruntime-node/dist/binding') as RawBinding;
  initOrt();
  const session = new binding.InferenceSession();
  try {
    session.loadModel(modelPath, {
      graphOptimizationLevel: 'disabled',
      intraOpNumThreads: 1,
      logSeverityLevel: 4,
      extra: { session: { disable_prepacking: '1' } },
    });
  } catch (error) {
    return { error: (error as Error).message };
  }
  return {
    outputs: session.outputMetadata.map(({ isTensor, type, shape, symbolicDimensions }) => {
      if (!isTensor) return { shape: [] };
      return {
        elementType: type,
        shape: shape.map((size, axis) => (size >= 0 ? size : symbolicDimensions[axis] || null)),
      };
    }),
  };
}

if (require.main === module) process.stdout.write(JSON.stringify(inferOutputTypes(process.argv[2])));
