/** An ONNX model as this library sees it: immutable, values linked by index, weights as ranges of files. */
import type { Dimension } from '../../contract/tensors';
import type { Fingerprint } from '../cache/fingerprint';
import { printable, quoted } from '../errors';

/** Bytes of one of the model's files. */
export interface SourceRange {
  /** Index into `Model.files`. */
  readonly file: number;
  /** In bytes. */
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
}

export interface SourceFile {
  /** Without links. */
  readonly path: string;
  /** The paths by which it is known, links in them included: one may lead to another file next time. */
  readonly names: readonly string[];
  /** In bytes, when the model was read. */
  readonly size: number;
  /** Taken before anything of the file was read. */
  readonly fingerprint: Fingerprint;
}

export interface Opset {
  /** `''` is ai.onnx. */
  readonly domain: string;
  readonly version: number;
}

/** A value's index in `Graph.values`. */
export type ValueIndex = number;
/** A node's index in `Graph.nodes`: its place in the file. */
export type NodeIndex = number;

/** Stands in a node's inputs or outputs for one that is left out. */
export const OMITTED: ValueIndex = -1;

export interface Model {
  readonly files: readonly SourceFile[];
  readonly irVersion: number;
  readonly opsets: readonly Opset[];
  /** Fields of the model other than graph and functions, copied into every slice. */
  readonly header: readonly SourceRange[];
  readonly functions: readonly LocalFunction[];
  readonly graph: Graph;
  /** Whether a tensor, an input or a type attribute anywhere in the model is of float16. */
  readonly usesFloat16: boolean;
  /** Whether ONNX Runtime has saved this graph, with the conversions from and to float16 that it runs. */
  readonly isSettled: boolean;
  /** What holds a string with a NUL or invalid UTF-8, which ONNX Runtime's JavaScript API cannot pass. */
  readonly unsafeStrings?: string;
}

export interface Graph {
  readonly name: string;
  /** Every value of the top level: inputs, initializers, node outputs. */
  readonly values: readonly Value[];
  readonly nodes: readonly Node[];
  readonly initializers: readonly Initializer[];
  readonly inputs: readonly GraphInput[];
  readonly outputs: readonly GraphOutput[];
  /** Fields that declare types of inner values. They may be wrong, but the optimizer of ONNX Runtime relies on them. */
  readonly valueInfos: readonly SourceRange[];
  readonly annotations: readonly QuantizationAnnotation[];
  readonly metadata: readonly SourceRange[];
}

export interface Value {
  readonly name: string;
  /** The node that makes it. */
  readonly producer?: NodeIndex;
  /** Index into `Graph.inputs`. A value with an initializer too is an input with a default. */
  readonly input?: number;
  /** Index into `Graph.initializers`. */
  readonly initializer?: number;
}

export interface Node {
  readonly index: NodeIndex;
  /** `''` where the model gives none. */
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  readonly inputs: readonly ValueIndex[];
  readonly outputs: readonly ValueIndex[];
  /** Values of the top level that the node's body graphs use, at any depth. */
  readonly captures: readonly ValueIndex[];
  /** Operators that run when the node runs: its own and those of its body graphs. */
  readonly operators: readonly OperatorUse[];
  /** The tensor of a `Constant` node that holds one: a weight in all but its place. */
  readonly constant?: Tensor;
  /** Bytes of the tensors in its attributes and bodies, other than `constant`. */
  readonly heldBytes: number;
  /** A sparse tensor inside the node whose data lies in another file: what cannot be copied. */
  readonly externalSparse?: string;
  /** The node taken apart, where its bodies or attributes hold external data. */
  readonly pieces?: readonly Piece[];
  /** The field of the graph, copied verbatim otherwise. */
  readonly field: SourceRange;
}

export interface OperatorUse {
  readonly domain: string;
  readonly opType: string;
  readonly overload: string;
  /** Whether a `seed` attribute makes a random operator repeatable. */
  readonly seeded: boolean;
  /** Number of inputs given; `Dropout` is random when it has a third. */
  readonly inputCount: number;
}

export interface LocalFunction {
  readonly domain: string;
  readonly name: string;
  readonly overload: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly FunctionNode[];
  /** Operators that run when it is called: those of its nodes and of their body graphs. */
  readonly operators: readonly OperatorUse[];
  /** Bytes of the tensors in it. */
  readonly heldBytes: number;
  readonly externalSparse?: string;
  /** The function taken apart, where its nodes hold external data. */
  readonly pieces?: readonly Piece[];
  /** The field of the model, copied verbatim otherwise. */
  readonly field: SourceRange;
}

/** A node of a local function, with its values by name. */
export interface FunctionNode {
  readonly use: OperatorUse;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export interface Tensor {
  readonly name: string;
  /** ONNX's number of the element type. */
  readonly dataType: number;
  readonly dims: readonly number[];
  /** Bytes of the dense data; 0 for strings. */
  readonly byteLength: number;
  /**
   * Where the data lies as one run of little-endian elements: `raw_data`, external data, or packed floats.
   * Absent for strings and for integers in typed fields, which are variable-length coded.
   */
  readonly data?: SourceRange;
  /** Whether the data lies outside the model's own file. */
  readonly external: boolean;
}

/** A tensor whose data lies as one run. */
export type TensorWithData = Tensor & { readonly data: SourceRange };

/** A message taken apart: ranges that are copied, tensors that are put elsewhere, and messages around them. */
export type Piece = SourceRange | TensorPiece | MessagePiece;

export interface TensorPiece {
  /** Number of the field that holds the tensor. */
  readonly field: number;
  readonly tensor: TensorWithData;
}

export interface MessagePiece {
  readonly field: number;
  readonly content: readonly Piece[];
}

/** A weight: dense, or sparse (then `tensor` describes its values and its field is copied as it is). */
export interface Initializer {
  readonly value: ValueIndex;
  readonly tensor: Tensor;
  readonly sparse: boolean;
  /** The field of the graph, copied verbatim when the data stays inside. */
  readonly field: SourceRange;
}

/** A type as the model declares it. */
export interface DeclaredType {
  /** Element type of a tensor; absent for sequences, maps and optionals. */
  readonly dataType?: number;
  /** Absent when the rank is not declared. */
  readonly shape?: readonly Dimension[];
}

export interface GraphInput {
  readonly value: ValueIndex;
  readonly type: DeclaredType;
  /** The field of the graph, copied verbatim. */
  readonly field: SourceRange;
}

export interface GraphOutput {
  readonly value: ValueIndex;
  readonly type: DeclaredType;
  /** The field of the graph, copied verbatim. */
  readonly field: SourceRange;
}

export interface QuantizationAnnotation {
  readonly tensorName: string;
  readonly field: SourceRange;
}

/** How an error calls a node: its name, or its operator and place when it has none. */
export function nodeLabel(node: Pick<Node, 'name' | 'opType' | 'index'>): string {
  const operator = printable(node.opType);
  return node.name === '' ? `${operator} node ${node.index}` : `node ${quoted(node.name)} (${operator})`;
}
