/** Reads `NodeProto` and the graphs in its attributes, and collects what the node uses at any depth. */
import { SlicedInferenceError, quoted } from '../errors';
import { ONNX_FLOAT16 } from './data-type';
import { ATTRIBUTE, GRAPH, NODE, SPARSE_TENSOR, VALUE_INFO } from './fields';
import { MAX_GRAPH_DEPTH, MAX_NODE_ATTRIBUTES } from './limits';
import type { OperatorUse, Tensor } from './model';
import type { ParseContext } from './parse-context';
import { parseTensor, text } from './parse-tensor';
import { type SizeAttributes, isSizeAttribute } from './size-attributes';
import { type ByteSource, type Field, type Span, WireError, content, fields, integer, once } from './wire';

/** A node whose values are still names. */
export interface ParsedNode {
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Names that its body graphs use and do not define, each once. */
  readonly freeNames: ReadonlySet<string>;
  readonly operators: readonly OperatorUse[];
  readonly sizeAttributes?: SizeAttributes;
  readonly constant?: Tensor;
  readonly externalSparse?: string;
  /** Whether its attributes or bodies hold dense external tensors other than `constant`. */
  readonly hasExternal: boolean;
  /** Bytes of the tensors in its attributes and bodies, other than `constant`. */
  readonly heldBytes: number;
}

/** Attributes whose integer is an element type. */
const TYPE_ATTRIBUTES = new Set(['to', 'dtype', 'output_dtype', 'softmax_precision', 'stash_type']);

/** Domains of the operators that ONNX and ONNX Runtime define; other domains belong to local functions. */
const KNOWN_DOMAINS = /^$|^ai\.onnx|^com\.(microsoft|ms)\b/;

/** Bytes of a float in an attribute. */
const FLOAT_BYTES = 4;

/** Shared by the nodes without bodies, which are most: an empty set takes more memory than the rest of a node. */
const NO_NAMES: ReadonlySet<string> = new Set();

/** The sum of what the attributes of a node hold. */
interface Contents {
  freeNames?: Set<string>;
  readonly operators: OperatorUse[];
  externalSparse?: string;
  hasExternal: boolean;
  heldBytes: number;
}

/**
 * Reads the node that fills `span`.
 *
 * @param depth 0 for a node of the top-level graph, 1 or more inside a body or a function
 */
export function parseNode(source: ByteSource, span: Span, context: ParseContext, depth = 0): ParsedNode {
  context.countNode();
  const { name, opType, domain, overload, inputs, outputs, attributes } = readFields(source, span, context);
  const contents: Contents = { operators: [], hasExternal: false, heldBytes: 0 };
  const isConstant = depth === 0 && opType === 'Constant' && domain === '' && Boolean(outputs.at(0));
  const ofKnownOperator = KNOWN_DOMAINS.test(domain);
  let constant: Tensor | undefined;
  const onTensor = (tensor: Tensor): void => {
    if (isConstant) constant = tensor;
    else noteTensor(tensor, contents);
  };
  let seeded = false;
  let sizes: Map<string, number> | undefined;
  for (const attribute of attributes) {
    const reading = { depth, ofKnownOperator, onTensor };
    const {
      name: attributeName,
      isReference,
      number,
    } = readAttribute(source, attribute, context, contents, reading);
    // A caller may omit a seed that refers to an attribute of the function: only a literal value counts.
    if (attributeName === 'seed' && !isReference) seeded = true;
    if (depth === 0 && number !== undefined && isSizeAttribute(opType, attributeName))
      (sizes ??= new Map()).set(attributeName, number);
  }
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
    ...(contents.externalSparse !== undefined && { externalSparse: contents.externalSparse }),
  };
}

interface NodeFields {
  name: string;
  opType: string;
  domain: string;
  overload: string;
  readonly inputs: string[];
  readonly outputs: string[];
  readonly attributes: Span[];
}

/** Reads the fields of a node; of the attributes only their spans. */
function readFields(source: ByteSource, span: Span, context: ParseContext): NodeFields {
  const node: NodeFields = {
    name: '',
    opType: '',
    domain: '',
    overload: '',
    inputs: [],
    outputs: [],
    attributes: [],
  };
  for (const field of fields(source, span)) {
    switch (field.number) {
      case NODE.input:
        node.inputs.push(text(source, field));
        context.countUse();
        break;
      case NODE.output:
        node.outputs.push(text(source, field));
        context.countUse();
        break;
      case NODE.name:
        node.name = text(source, field);
        break;
      case NODE.opType:
        node.opType = text(source, field);
        break;
      case NODE.attribute:
        node.attributes.push(content(field));
        if (node.attributes.length > MAX_NODE_ATTRIBUTES) throw tooManyAttributes(span);
        break;
      case NODE.domain:
        node.domain = text(source, field);
        break;
      case NODE.overload:
        node.overload = text(source, field);
        break;
    }
  }
  if (node.domain === 'ai.onnx') node.domain = '';
  if (node.opType === '') throw new WireError(`the node at byte ${span.start} has no operator`, false);
  return node;
}

/** Reads a default that a function declares for one of its attributes: callers that omit the attribute get it. */
export function readDefault(
  source: ByteSource,
  span: Span,
  context: ParseContext,
): Pick<ParsedNode, 'operators' | 'hasExternal' | 'heldBytes' | 'externalSparse'> {
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
  /** Whether ONNX or ONNX Runtime defines the operator; `false` for a local function. */
  readonly ofKnownOperator: boolean;
  readonly onTensor: (tensor: Tensor) => void;
}

/** Reads one `AttributeProto`: its name, its number, and whether it refers to an attribute of the enclosing function. */
function readAttribute(
  source: ByteSource,
  span: Span,
  context: ParseContext,
  contents: Contents,
  { depth, ofKnownOperator, onTensor }: AttributeReading,
): { readonly name: string; readonly isReference: boolean; readonly number?: number } {
  let name = '';
  let isReference = false;
  let integral: number | undefined;
  let fractional: number | undefined;
  let tensor: Span | undefined;
  let body: Span | undefined;
  for (const field of fields(source, span)) {
    switch (field.number) {
      case ATTRIBUTE.name:
        name = text(source, field);
        break;
      case ATTRIBUTE.i:
        integral = integer(field);
        break;
      case ATTRIBUTE.f:
        if (field.payload.end - field.payload.start === FLOAT_BYTES)
          fractional = source.bytes(field.payload).readFloatLE();
        break;
      case ATTRIBUTE.s:
      case ATTRIBUTE.strings:
        if (!context.isSafeString(source, content(field))) context.noteUnsafeStrings('an attribute');
        break;
      case ATTRIBUTE.refAttrName:
        isReference = true;
        break;
      case ATTRIBUTE.t:
        once(field, tensor);
        tensor = content(field);
        onTensor(parseTensor(source, tensor, context));
        break;
      case ATTRIBUTE.tensors:
        noteTensor(parseTensor(source, content(field), context), contents);
        break;
      case ATTRIBUTE.sparseTensor:
      case ATTRIBUTE.sparseTensors:
        for (const { tensor: part } of sparseParts(source, field, context)) noteSparse(part, contents);
        break;
      case ATTRIBUTE.g:
        once(field, body);
        body = content(field);
        readBody(source, body, context, contents, depth + 1);
        break;
      case ATTRIBUTE.graphs:
        readBody(source, content(field), context, contents, depth + 1);
        break;
    }
  }
  const mayBeType = TYPE_ATTRIBUTES.has(name) || !ofKnownOperator;
  if (integral === ONNX_FLOAT16 && mayBeType) context.usesFloat16 = true;
  const number = fractional ?? integral;
  return { name, isReference, ...(number !== undefined && { number }) };
}

/** Names in one body graph. */
interface BodyNames {
  readonly defined: Set<string>;
  readonly used: Set<string>;
}

/** Collects the names that a body graph uses from outside. A name that the body defines hides the outer one. */
function readBody(
  source: ByteSource,
  span: Span,
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
  const names: BodyNames = { defined: new Set(), used: new Set() };
  for (const field of fields(source, span)) {
    switch (field.number) {
      case GRAPH.node:
        noteBodyNode(parseNode(source, content(field), context, depth), names, contents);
        break;
      case GRAPH.initializer: {
        const tensor = parseTensor(source, content(field), context);
        names.defined.add(tensor.name);
        noteTensor(tensor, contents);
        break;
      }
      case GRAPH.sparseInitializer:
        for (const { number, tensor } of sparseParts(source, field, context)) {
          if (number === SPARSE_TENSOR.values) names.defined.add(tensor.name);
          noteSparse(tensor, contents);
        }
        break;
      case GRAPH.input:
        names.defined.add(valueName(source, content(field)));
        break;
      case GRAPH.output:
        names.used.add(valueName(source, content(field)));
        break;
    }
  }
  for (const name of names.used) {
    if (name === '' || names.defined.has(name)) continue;
    // Counted at each depth, because each depth has a set of its own.
    context.countUse();
    contents.freeNames ??= new Set();
    contents.freeNames.add(name);
  }
}

function noteBodyNode(node: ParsedNode, { defined, used }: BodyNames, contents: Contents): void {
  for (const output of node.outputs) defined.add(output);
  for (const input of node.inputs) used.add(input);
  for (const name of node.freeNames) used.add(name);
  for (const use of node.operators) contents.operators.push(use);
  contents.externalSparse ??= node.externalSparse;
  contents.hasExternal ||= node.hasExternal;
  contents.heldBytes += node.heldBytes;
}

/** The values and indices of a `SparseTensorProto`, with their field numbers. */
function* sparseParts(
  source: ByteSource,
  field: Field,
  context: ParseContext,
): Generator<{ readonly number: number; readonly tensor: Tensor }> {
  for (const part of fields(source, content(field))) {
    if (part.number !== SPARSE_TENSOR.values && part.number !== SPARSE_TENSOR.indices) continue;
    yield { number: part.number, tensor: parseTensor(source, content(part), context) };
  }
}

/** The name of a `ValueInfoProto`. */
function valueName(source: ByteSource, span: Span): string {
  for (const field of fields(source, span)) if (field.number === VALUE_INFO.name) return text(source, field);
  return '';
}

function noteTensor({ external, byteLength }: Tensor, contents: Contents): void {
  contents.hasExternal ||= external;
  contents.heldBytes += byteLength;
}

function noteSparse(tensor: Tensor, contents: Contents): void {
  if (tensor.external) contents.externalSparse ??= tensor.name === '' ? quoted('(unnamed)') : tensor.name;
}

function tooManyAttributes({ start }: Span): WireError {
  return new WireError(`the node at byte ${start} has more than ${MAX_NODE_ATTRIBUTES} attributes`, false);
}
