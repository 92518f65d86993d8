/** Reads `NodeProto` and the graphs in its attributes, and collects what the node uses at any depth. */
import { SlicedInferenceError } from '../errors';
import { ONNX_FLOAT16 } from './data-type';
import { takeApart } from './external-bodies';
import { ATTRIBUTE, GRAPH, NODE, VALUE_INFO } from './fields';
import { MAX_GRAPH_DEPTH, MAX_NODE_ATTRIBUTES } from './limits';
import { type Node, type OperatorUse, type Tensor, isSizeAttribute } from './model';
import type { ParseContext } from './external-data';
import { parseTensor, text, textOf } from './parse-tensor';
import * as wire from './wire';

export interface ParsedNode extends Omit<Node, 'index' | 'inputs' | 'outputs' | 'captures' | 'field'> {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Names that its body graphs use and do not define, each once. */
  readonly freeNames: ReadonlySet<string>;
  /** Whether it holds tensors with data in another file. */
  readonly hasExternal: boolean;
}

/** Attributes whose integer is an element type. */
const TYPE_ATTRIBUTES = new Set(['to', 'dtype', 'output_dtype', 'softmax_precision', 'stash_type']);

/** Domains of the operators that ONNX and ONNX Runtime define; other domains belong to local functions. */
const KNOWN_DOMAINS = /^$|^ai\.onnx|^com\.(microsoft|ms)\b/;

const FLOAT_BYTES = 4;

/** Shared by the nodes without bodies, which are most: an empty set takes more memory than the rest of a node. */
const NO_NAMES: ReadonlySet<string> = new Set();

interface Contents {
  freeNames?: Set<string>;
  readonly operators: OperatorUse[];
  hasExternal: boolean;
  heldBytes: number;
}

/**
 * Reads the node that fills `span`.
 *
 * @param depth 0 for a node of the top-level graph, 1 or more inside a body or a function
 */
export function parseNode(
  source: wire.ByteSource,
  span: wire.Span,
  context: ParseContext,
  depth = 0,
): ParsedNode {
  context.countNode();
  const { name, opType, domain, overload, inputs, outputs, attributes } = readFields(source, span, context);
  const contents: Contents = { operators: [], hasExternal: false, heldBytes: 0 };
  const isConstant = depth === 0 && opType === 'Constant' && domain === '' && Boolean(outputs.at(0));
  const ofKnownOperator = KNOWN_DOMAINS.test(domain);
  let constant: Tensor | undefined;
  const onTensor = (tensor: Tensor): void => {
    if (isConstant) {
      constant = tensor;
      contents.hasExternal ||= tensor.external;
    } else noteTensor(tensor, contents);
  };
  let seeded = false;
  let sizes: Map<string, number> | undefined;
  for (const attribute of attributes) {
    const reading = { depth, ofKnownOperator, onTensor };
    const read = readAttribute(source, attribute, context, contents, reading);
    // A caller may omit a seed that refers to an attribute of the function: only a literal value counts.
    if (read.name === 'seed' && !read.isReference) seeded = true;
    if (depth === 0 && read.number !== undefined && isSizeAttribute(opType, read.name))
      (sizes ??= new Map()).set(read.name, read.number);
  }
  const pieces = depth === 0 && contents.hasExternal && takeApart(source, span, 'node', context);
  const inputCount = inputs.findLastIndex((input) => input !== '') + 1;
  contents.operators.push({ domain, opType, overload, seeded, inputCount });
  return {
    name,
    opType,
    domain,
    inputs,
    outputs,
    freeNames: contents.freeNames ?? NO_NAMES,
    operators: contents.operators,
    ...(sizes && { sizeAttributes: sizes }),
    ...(constant && { constant }),
    hasExternal: contents.hasExternal,
    heldBytes: contents.heldBytes,
    ...(pieces && { pieces }),
  };
}

/** The fields of the node that fills `span`, without what its attributes hold. */
export function readFields(source: wire.ByteSource, span: wire.Span, context: ParseContext) {
  let [name, opType, domain, overload] = ['', '', '', ''];
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: wire.Span[] = [];
  wire.readMessage(source, span, {
    [NODE.input]: (field) => inputs.push(context.used(text(source, field))),
    [NODE.output]: (field) => outputs.push(context.used(text(source, field))),
    [NODE.name]: (field) => (name = text(source, field)),
    [NODE.opType]: (field) => (opType = text(source, field)),
    [NODE.attribute]: (field) => {
      if (attributes.push(wire.content(field)) <= MAX_NODE_ATTRIBUTES) return;
      const what = `the node at byte ${span.start}`;
      throw new wire.WireError(`${what} has more than ${MAX_NODE_ATTRIBUTES} attributes`, false);
    },
    [NODE.domain]: (field) => (domain = text(source, field)),
    [NODE.overload]: (field) => (overload = text(source, field)),
  });
  if (domain === 'ai.onnx') domain = '';
  if (opType === '') throw new wire.WireError(`the node at byte ${span.start} has no operator`, false);
  return { name, opType, domain, overload, inputs, outputs, attributes };
}

/** Reads a default that a function declares for one of its attributes: callers that omit the attribute get it. */
export function readDefault(
  source: wire.ByteSource,
  span: wire.Span,
  context: ParseContext,
): Pick<ParsedNode, 'operators' | 'hasExternal' | 'heldBytes'> {
  const contents: Contents = { operators: [], hasExternal: false, heldBytes: 0 };
  readAttribute(source, span, context, contents, {
    depth: 1,
    ofKnownOperator: false,
    onTensor: (tensor) => {
      noteTensor(tensor, contents);
    },
  });
  return contents;
}

interface AttributeReading {
  readonly depth: number;
  readonly ofKnownOperator: boolean;
  readonly onTensor: (tensor: Tensor) => void;
}

function readAttribute(
  source: wire.ByteSource,
  span: wire.Span,
  context: ParseContext,
  contents: Contents,
  { depth, ofKnownOperator, onTensor }: AttributeReading,
): { readonly name: string; readonly isReference: boolean; readonly number?: number } {
  let name = '';
  let isReference = false;
  let integral: number | undefined;
  let fractional: number | undefined;
  let tensor: wire.Span | undefined;
  let body: wire.Span | undefined;
  const noteString = (field: wire.Field): void => {
    if (!context.isSafeString(source, wire.content(field))) context.noteUnsafeStrings('an attribute');
  };
  wire.readMessage(source, span, {
    [ATTRIBUTE.name]: (field) => (name = text(source, field)),
    [ATTRIBUTE.i]: (field) => (integral = wire.integer(field)),
    [ATTRIBUTE.f]: ({ payload }) => {
      if (payload.end - payload.start === FLOAT_BYTES) fractional = source.bytes(payload).readFloatLE();
    },
    [ATTRIBUTE.s]: noteString,
    [ATTRIBUTE.strings]: noteString,
    [ATTRIBUTE.refAttrName]: () => (isReference = true),
    [ATTRIBUTE.t]: (field) => {
      wire.once(field, tensor);
      tensor = wire.content(field);
      onTensor(parseTensor(source, tensor, context));
    },
    [ATTRIBUTE.tensors]: (field) => {
      noteTensor(parseTensor(source, wire.content(field), context), contents);
    },
    [ATTRIBUTE.sparseTensor]: refuseSparse,
    [ATTRIBUTE.sparseTensors]: refuseSparse,
    [ATTRIBUTE.g]: (field) => {
      wire.once(field, body);
      body = wire.content(field);
      readBody(source, body, context, contents, depth + 1);
    },
    [ATTRIBUTE.graphs]: (field) => {
      readBody(source, wire.content(field), context, contents, depth + 1);
    },
  });
  const mayBeType = TYPE_ATTRIBUTES.has(name) || !ofKnownOperator;
  if (integral === ONNX_FLOAT16 && mayBeType) context.usesFloat16 = true;
  const number = fractional ?? integral;
  return { name, isReference, ...(number !== undefined && { number }) };
}

/** Collects the names that a body graph uses from outside. A name that the body defines hides the outer one. */
function readBody(
  source: wire.ByteSource,
  span: wire.Span,
  context: ParseContext,
  contents: Contents,
  depth: number,
): void {
  if (depth > MAX_GRAPH_DEPTH) {
    throw new SlicedInferenceError(
      `graphs inside attributes must nest at most ${MAX_GRAPH_DEPTH} deep`,
      'deeper nesting',
      'the file is damaged or hostile',
    );
  }
  const defined = new Set<string>();
  const used = new Set<string>();
  wire.readMessage(source, span, {
    [GRAPH.node]: (field) => {
      const node = parseNode(source, wire.content(field), context, depth);
      for (const output of node.outputs) defined.add(output);
      for (const input of node.inputs) used.add(input);
      for (const name of node.freeNames) used.add(name);
      for (const use of node.operators) contents.operators.push(use);
      contents.hasExternal ||= node.hasExternal;
      contents.heldBytes += node.heldBytes;
    },
    [GRAPH.initializer]: (field) => {
      const tensor = parseTensor(source, wire.content(field), context);
      defined.add(tensor.name);
      noteTensor(tensor, contents);
    },
    [GRAPH.sparseInitializer]: refuseSparse,
    [GRAPH.input]: (field) => defined.add(textOf(source, wire.content(field), VALUE_INFO.name)),
    [GRAPH.output]: (field) => used.add(textOf(source, wire.content(field), VALUE_INFO.name)),
  });
  for (const name of defined) context.bodyNames.add(name);
  for (const name of used) {
    if (name === '' || defined.has(name)) continue;
    contents.freeNames ??= new Set();
    // Counted at each depth, because each depth has a set of its own.
    contents.freeNames.add(context.used(name));
  }
}

function noteTensor({ external, byteLength }: Tensor, contents: Contents): void {
  contents.hasExternal ||= external;
  contents.heldBytes += byteLength;
}

/** ONNX Runtime takes sparse tensors, but no exporter in use writes them. */
export function refuseSparse(): never {
  throw new SlicedInferenceError(
    'the model must have dense tensors only',
    'a sparse tensor',
    'store it as a dense tensor',
  );
}
