/**
 * Runs in a process of its own: opens the model named by its argument with ONNX Runtime and prints the types of
 * its outputs as JSON. Synthesis is synchronous and creating a session is not, and a model that crashes ONNX
 * Runtime must not take the caller with it.
 */
import type { Dimension } from '../../contract/tensors';

/** One output of the session. `elementType` is ONNX's number; absent for what is no tensor. */
export interface SessionOutput {
  readonly elementType?: number;
  readonly shape: readonly Dimension[];
}

export interface InferAnswer {
  readonly outputs: readonly SessionOutput[];
}

/** The native binding as onnxruntime-node 1.30.0 calls it. */
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

export function infer(modelPath: string): InferAnswer | { readonly error: string } {
  process.env.ORT_DISABLE_TELEMETRY = '1';
  // The public API refuses a whole session when one output is bfloat16 or float8; the binding below it tells the
  // type's number. The version of onnxruntime-node is pinned, so that this path does not move.
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

if (require.main === module) process.stdout.write(JSON.stringify(infer(process.argv[2])));
