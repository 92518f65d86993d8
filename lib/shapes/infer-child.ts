/**
 * Entry point of a child process: opens a model with ONNX Runtime and prints the types of the outputs as JSON. Synthesis
 * is synchronous and creating a session is not, and a model that crashes ONNX Runtime must not crash the caller.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Dimension } from '../../contract/tensors';
import { field, encodeNode, encodeValueInfo } from '../onnx/encode';
import { ONNX_BFLOAT16, ONNX_UINT64 } from '../onnx/data-type';
import { GRAPH, MODEL } from '../onnx/fields';

/** A question. The argument of the process is the path of a file with this object as JSON. */
export interface InferJob {
  readonly modelPath: string;
  /** Whether ONNX Runtime computes what depends on constants alone, because shapes may depend on it. */
  readonly foldsConstants: boolean;
  /** The outputs that are known to have no dimensions, by their place among all outputs. */
  readonly scalars: readonly number[];
}

export interface SessionOutput {
  /** A number of `TensorProto.DataType`; absent when the output is not a tensor. */
  readonly elementType?: number;
  /** `null` when the rank is unknown. */
  readonly shape: readonly Dimension[] | null;
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
  loadModel(buffer: ArrayBufferLike, offset: number, length: number, options: object): void;
  readonly outputMetadata: readonly RawOutput[];
  dispose(): void;
}
interface RawOutput {
  readonly name: string;
  readonly isTensor: boolean;
  readonly shape?: readonly number[];
  readonly type?: number;
  readonly symbolicDimensions?: readonly string[];
}

/**
 * Most bytes of a result that ONNX Runtime folds: enough for all shapes and for most masks. ONNX Runtime computes the size of a
 * result before it folds it (`optimization.constant_folding_max_output_size_in_bytes`).
 */
const MAX_FOLDED_BYTES = 2 ** 20;

const LOG_FATAL = 4;

export function inferOutputTypes(jobPath: string): InferAnswer | { readonly error: string } {
  process.env.ORT_DISABLE_TELEMETRY = '1';
  try {
    const job = JSON.parse(fs.readFileSync(jobPath, 'utf8')) as InferJob;
    const model = fs.readFileSync(job.modelPath);
    const outputs = load(model, job);
    const known = new Set(job.scalars);
    const isUnclear = outputs.map(({ shape }, place) => shape?.length === 0 && !known.has(place));
    const unclear = outputs.filter((output, place) => isUnclear[place] && hasShape(output));
    const scalars = new Set(unclear.length === 0 ? [] : scalarNames(model, unclear, job));
    return {
      outputs: outputs.map(({ name, isTensor, type, shape, symbolicDimensions }, place): SessionOutput => {
        if (!isTensor || type === undefined || shape === undefined) return { shape: null };
        if (isUnclear[place] && !scalars.has(name)) return { elementType: type, shape: null };
        return {
          elementType: type,
          shape: shape.map((size, axis) => (size >= 0 ? size : (symbolicDimensions?.[axis] ?? '') || null)),
        };
      }),
    };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

/** Whether ONNX Runtime's `Shape` takes the output. */
function hasShape({ isTensor, type }: RawOutput): boolean {
  return isTensor && type !== undefined && (type <= ONNX_UINT64 || type === ONNX_BFLOAT16);
}

/**
 * The names of the outputs that have no dimensions. The session reports both a scalar and an unknown rank as an empty shape.
 * So this function asks for the length of the output's shape, with a `Shape` node for each output.
 */
function scalarNames(model: Buffer, outputs: readonly RawOutput[], job: InferJob): string[] {
  const shapeOf = (place: number): string => `sliced-inference/shape/${place}`;
  const nodes = outputs.map(({ name }, place) => encodeNode('Shape', [name], [shapeOf(place)]));
  const declarations = outputs.map((_, place) => encodeValueInfo(GRAPH.output, shapeOf(place)));
  // Protobuf merges the two graphs of one message: their nodes and outputs are concatenated.
  const extended = Buffer.concat([model, field(MODEL.graph, ...nodes, ...declarations)]);
  try {
    const lengths = new Map(load(extended, job).map(({ name, shape }) => [name, shape?.at(0)]));
    return outputs.filter((_, place) => lengths.get(shapeOf(place)) === 0).map(({ name }) => name);
  } catch {
    // The model imports no opset of ONNX, or has these names: which outputs are scalars stays unknown.
    return [];
  }
}

function load(model: Buffer, { modelPath, foldsConstants }: InferJob): readonly RawOutput[] {
  // The public API refuses a session with an output of bfloat16 or float8; the binding returns the number of the type.
  // The version of onnxruntime-node is pinned, so this path does not change.
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded after the variable above is set
  const { initOrt, binding } = require('onnxruntime-node/dist/binding') as RawBinding;
  initOrt();
  const session = new binding.InferenceSession();
  session.loadModel(model.buffer, model.byteOffset, model.length, {
    graphOptimizationLevel: foldsConstants ? 'basic' : 'disabled',
    intraOpNumThreads: 1,
    logSeverityLevel: LOG_FATAL,
    extra: {
      session: {
        disable_prepacking: '1',
        model_external_initializers_file_folder_path: path.dirname(modelPath),
      },
      optimization: { constant_folding_max_output_size_in_bytes: String(MAX_FOLDED_BYTES) },
    },
  });
  const { outputMetadata } = session;
  session.dispose();
  return outputMetadata;
}

if (require.main === module) process.stdout.write(JSON.stringify(inferOutputTypes(process.argv[2])));
