/** An ONNX model in memory: immutable, values linked by index, weights as ranges of files. */
import type { Dimension } from '../../contract/tensors';
import type { Fingerprint } from '../cache/fingerprint';
import { printable, quoted } from '../errors';

export interface SourceRange {
  /** Index into `Model.files`. */
  readonly file: number;
  /** In bytes. */
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
  /** Whether the highest bit of each byte is flipped when the range is copied: int8 becomes uint8 with 128 added, and the other way round. */
  readonly flipsSign?: boolean;
}

/** Equally long runs of bytes at equal distances, such as some columns of a matrix. `length` counts the bytes of the runs alone. */
export interface StridedRange extends SourceRange {
  readonly runBytes: number;
  /** From the beginning of a run to the beginning of the next one. */
  readonly stepBytes: number;
}

/** Bytes, or where they are. */
export type Chunk = Uint8Array | SourceRange | StridedRange;

export interface SourceFile {
  /** Absolute path with every link resolved; for the model itself, the path as the caller passed it. */
  readonly path: string;
  /** The absolute paths by which the model names the file. They may contain links, which may change later. */
  readonly names: readonly string[];
  /** In bytes, when the model was read. */
  readonly size: number;
  /** Taken before the file was read. */
  readonly fingerprint: Fingerprint;
}

export interface Opset {
  /** `''` for ai.onnx. */
  readonly domain: string;
  readonly version: number;
}

export type ValueIndex = number;
/** A node's index in `Graph.nodes`, which has the order of the file. */
export type NodeIndex = number;

/** Marks an optional input or output that a node omits. */
export const OMITTED: ValueIndex = -1;

export interface Model {
  readonly files: readonly SourceFile[];
  readonly irVersion: number;
  readonly opsets: readonly Opset[];
  /** Fields of the model other than graph and functions. Every slice gets a copy. */
  readonly header: readonly SourceRange[];
  /** By key: the short values of the model's metadata. Exporters note sizes of inputs there. */
  readonly properties: ReadonlyMap<string, string>;
  readonly functions: readonly LocalFunction[];
  readonly graph: Graph;
  /** Names that graphs inside of nodes define, at any depth. */
  readonly bodyNames: ReadonlySet<string>;
  /** Whether a tensor, an input or a type attribute anywhere in the model has the type float16. */
  readonly usesFloat16: boolean;
  /** Whether ONNX Runtime saved this graph, including the casts from and to float16 that it inserts. */
  readonly isSettled: boolean;
  /** Describes where a string has a NUL or invalid UTF-8, which ONNX Runtime's JavaScript API cannot pass. */
  readonly unsafeStrings?: string;
}

export interface Graph {
  readonly name: string;
  /** Every value of the top-level graph: inputs, initializers, node outputs. */
  readonly values: readonly Value[];
  readonly nodes: readonly Node[];
  readonly initializers: readonly Initializer[];
  readonly inputs: readonly GraphInput[];
  readonly outputs: readonly GraphOutput[];
  /** Fields that declare types of inner values. They may be wrong, but ONNX Runtime's optimizer relies on them. */
  readonly valueInfos: readonly SourceRange[];
  readonly metadata: readonly SourceRange[];
}

export interface Value {
  readonly name: string;
  readonly producer?: NodeIndex;
  /** Index into `Graph.inputs`. An input that also has an initializer has a default. */
  readonly input?: number;
  readonly initializer?: number;
}

export interface Node {
  readonly index: NodeIndex;
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  readonly inputs: readonly ValueIndex[];
  readonly outputs: readonly ValueIndex[];
  /** Values of the top-level graph that the node's body graphs use, at any depth. */
  readonly captures: readonly ValueIndex[];
  /** Operators that run when the node runs: its own and those of its body graphs. */
  readonly operators: readonly OperatorUse[];
  /** The numbers among its attributes that decide which memory or time its kernel needs; absent if there are none. */
  readonly sizeAttributes?: SizeAttributes;
  /** The tensor that a `Constant` node holds; it is treated like an initializer. */
  readonly constant?: Tensor;
  /** Bytes of the tensors in its attributes and bodies, other than `constant`. */
  readonly heldBytes: number;
  /** The parts of the node, when it holds tensors with data in another file or was rewritten. */
  readonly pieces?: readonly Piece[];
  /** The field of the graph. Slices copy it verbatim unless the node has `pieces`. */
  readonly field: Chunk;
}

export interface OperatorUse {
  readonly domain: string;
  readonly opType: string;
  readonly overload: string;
  /** Whether a `seed` attribute makes a random operator repeatable. */
  readonly seeded: boolean;
  /** Number of inputs, up to the last that is not omitted. `Dropout` is random when it has a third. */
  readonly inputCount: number;
}

export interface LocalFunction {
  readonly domain: string;
  readonly name: string;
  readonly overload: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly FunctionNode[];
  readonly opsets: readonly Opset[];
  /** Operators that run when the function is called: those of its nodes and of their body graphs. */
  readonly operators: readonly OperatorUse[];
  /** Bytes of the tensors inside the function. */
  readonly heldBytes: number;
  /** The parts of the function, when it holds tensors with data in another file. */
  readonly pieces?: readonly Piece[];
  /** The field of the model. Slices copy it verbatim unless the function has `pieces`. */
  readonly field: SourceRange;
}

/** A node of a local function. Its inputs and outputs are names. */
export interface FunctionNode {
  readonly use: OperatorUse;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export interface Tensor {
  readonly name: string;
  /** The element type as a number of `TensorProto.DataType`. */
  readonly dataType: number;
  readonly dims: readonly number[];
  /** Bytes of the dense data; 0 for strings. */
  readonly byteLength: number;
  /**
   * The range of the data, when the data is one run of little-endian elements: `raw_data`, external data, or packed
   * floats. Absent for strings and for integers in typed fields, which are varints.
   */
  readonly data?: SourceRange | StridedRange;
  /** Whether the data lies in another file than the graph. */
  readonly external: boolean;
}

export type TensorWithData = Tensor & { readonly data: SourceRange | StridedRange };

/**
 * A part of a message: bytes, a range to copy, a tensor whose data moves to another file, or a message around such parts. `field` is
 * the number of the field, `start` the place of the tensor's message in the model's file.
 */
export type Piece =
  | Uint8Array
  | SourceRange
  | { readonly field: number; readonly tensor: TensorWithData; readonly start: number }
  | { readonly field: number; readonly content: readonly Piece[] };

export interface Initializer {
  readonly value: ValueIndex;
  readonly tensor: Tensor;
  /** The field of the graph. Slices copy it verbatim when the data stays in the graph. */
  readonly field: Chunk;
}

export interface DeclaredType {
  /** Element type of a tensor; absent for sequences, maps and optionals. */
  readonly dataType?: number;
  /** Absent when the model does not declare the rank. */
  readonly shape?: readonly Dimension[];
}

export interface GraphInput {
  readonly value: ValueIndex;
  readonly type: DeclaredType;
  /** The field of the graph. Slices copy it verbatim. */
  readonly field: Chunk;
}

export type GraphOutput = GraphInput;

/** Names a node in an error: by its name and operator, or by its operator and index when it has no name. */
export function nodeLabel(node: Pick<Node, 'name' | 'opType' | 'index'>): string {
  const operator = printable(node.opType);
  return node.name === '' ? `${operator} node ${node.index}` : `node ${quoted(node.name)} (${operator})`;
}

const OF_ATTENTION =
  'num_heads q_num_heads kv_num_heads unidirectional is_causal softcap smooth_softmax'.split(' ');

/** By operator. The others are not kept, because a model may have tens of thousands of nodes. */
const NAMES: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ...['Attention', 'MultiHeadAttention', 'GroupQueryAttention', 'QAttention'].map(
    (opType) => [opType, OF_ATTENTION] as const,
  ),
  ...['Softmax', 'LogSoftmax', 'Hardmax'].map((opType) => [opType, ['axis']] as const),
  ['Resize', ['antialias']],
  ['MatMulNBits', ['bits', 'accuracy_level']],
]);

/** Numbers by the name of the attribute. An attribute that the node omits is absent. */
export type SizeAttributes = ReadonlyMap<string, number>;

export function isSizeAttribute(opType: string, name: string): boolean {
  return NAMES.get(opType)?.includes(name) ?? false;
}
