/** Reads `NodeProto` and the graphs in its attributes: what the node uses, at any depth. */
import { SlicedInferenceError, quoted } from '../errors';
import { MAX_GRAPH_DEPTH, MAX_NODE_ATTRIBUTES } from './limits';
import type { OperatorUse, Tensor } from './model';
import type { ParseContext } from './parse-context';
import { ONNX_FLOAT16 } from './data-type';
import { parseTensor, text } from './parse-tensor';
import type { ByteSource, Span } from './wire';
import { WireError, content, fields, integer, once } from './wire';

/** A node with its values still by name. */
export interface ParsedNode {
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Names that its body graphs use and do not define, each once. */
  readonly freeNames: ReadonlySet<string>;
  readonly operators: readonly OperatorUse[];
  readonly constant?: Tensor;
  readonly externalSparse?: string;
  /** Whether its attributes or bodies hold dense external tensors other than `constant`. */
  readonly hasExternal: boolean;
  /** Bytes of the tensors in its attributes and bodies, other than `constant`. */
  readonly heldBytes: number;
}

/** Attributes whose integer is an element type. */
const TYPE_ATTRIBUTES = new Set(['to', 'dtype', 'output_dtype', 'softmax_precision', 'stash_type']);

/** Domains of operators that ONNX and ONNX Runtime define; others are those of local functions. */
const KNOWN_DOMAINS = /^$|^ai\.onnx|^com\.(microsoft|ms)\b/;

/** Most nodes have no bodies, and a set takes more memory than all the rest of a node. */
const NO_NAMES: ReadonlySet<string> = new Set();

/** What the attributes of a node add up to. */
interface Contents {
  freeNames?: Set<string>;
  readonly operators: OperatorUse[];
  externalSparse?: string;
  hasExternal: boolean;
  heldBytes: number;
}

export function parseNode(source: ByteSource, span: Span, context: ParseContext, depth = 0): ParsedNode {
  let name = '';
  let opType = '';
  let domain = '';
  let overload = '';
  let seeded = false;
  context.countNode();
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: Span[] = [];
  for (const field of fields(source, span)) {
    switch (field.number) {
      case 1:
        inputs.push(text(source, field));
        context.countUse();
        break;
      case 2:
        outputs.push(text(source, field));
        context.countUse();
        break;
      case 3:
        name = text(source, field);
        break;
      case 4:
        opType = text(source, field);
        break;
      case 5:
        attributes.push(content(field));
        if (attributes.length > MAX_NODE_ATTRIBUTES) {
          throw new WireError(
            `the node at byte ${span.start} has more than ${MAX_NODE_ATTRIBUTES} attributes`,
            false,
          );
        }
        break;
      case 7:
        domain = text(source, field);
        break;
      case 8:
        overload = text(source, field);
        break;
    }
  }
  if (domain === 'ai.onnx') domain = '';
  if (opType === '') throw new WireError(`the node at byte ${span.start} has no operator`, false);
  const contents: Contents = { operators: [], hasExternal: false, heldBytes: 0 };
  let constant: Tensor | undefined;
  for (const attribute of attributes) {
    const named = readAttribute(source, attribute, context, contents, {
      depth,
      ofKnownOperator: KNOWN_DOMAINS.test(domain),
      onTensor: (tensor) => {
        const isConstant = depth === 0 && opType === 'Constant' && domain === '' && Boolean(outputs.at(0));
        if (isConstant) constant = tensor;
        else noteTensor(tensor, contents);
      },
    });
    // A function's seed that its caller gives may be left out there: only a value of its own counts.
    if (named.name === 'seed' && !named.isReference) seeded = true;
  }
  contents.operators.push({
    domain,
    opType,
    overload,
    seeded,
    inputCount: inputs.findLastIndex((input) => input !== '') + 1,
  });
  return {
    name,
    opType,
    domain,
    inputs,
    outputs,
    freeNames: contents.freeNames ?? NO_NAMES,
    operators: contents.operators,
    ...(constant && { constant }),
    hasExternal: contents.hasExternal,
    heldBytes: contents.heldBytes,
    ...(contents.externalSparse !== undefined && { externalSparse: contents.externalSparse }),
  };
}

/** What an attribute holds that a function gives to attributes of its callers which leave it out. */
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
  /** Whether the meaning of the attribute is ONNX's or ONNX Runtime's, and not that of a local function. */
  readonly ofKnownOperator: boolean;
  readonly onTensor: (tensor: Tensor) => void;
}

/** Reads one `AttributeProto`: its name, and whether it stands for an attribute of the enclosing function. */
function readAttribute(
  source: ByteSource,
  span: Span,
  context: ParseContext,
  contents: Contents,
  { depth, ofKnownOperator, onTensor }: AttributeReading,
): { readonly name: string; readonly isReference: boolean } {
  let name = '';
  let isReference = false;
  let number = 0;
  let tensor: Span | undefined;
  let body: Span | undefined;
  for (const field of fields(source, span)) {
    switch (field.number) {
      case 1:
        name = text(source, field);
        break;
      case 3: // i
        number = integer(field);
        break;
      case 4: // s
      case 9: // strings
        if (!context.isSafeString(source, content(field))) context.noteUnsafeStrings('an attribute');
        break;
      case 21: // ref_attr_name
        isReference = true;
        break;
      case 5: // t
        once(field, tensor);
        tensor = content(field);
        onTensor(parseTensor(source, tensor, context));
        break;
      case 10: // tensors
        noteTensor(parseTensor(source, content(field), context), contents);
        break;
      case 22: // sparse_tensor
      case 23: // sparse_tensors
        for (const part of fields(source, content(field))) {
          if (part.number <= 2) noteSparse(parseTensor(source, content(part), context), contents);
        }
        break;
      case 6: // g
        once(field, body);
        body = content(field);
        readBody(source, body, context, contents, depth + 1);
        break;
      case 11: // graphs
        readBody(source, content(field), context, contents, depth + 1);
        break;
    }
  }
  const mayBeType = TYPE_ATTRIBUTES.has(name) || !ofKnownOperator;
  if (number === ONNX_FLOAT16 && mayBeType) context.usesFloat16 = true;
  return { name, isReference };
}

/** Collects what a body graph uses from outside. A name that the body defines anywhere hides the outer one. */
function readBody(
  source: ByteSource,
  span: Span,
  context: ParseContext,
  contents: Contents,
  depth: number,
): void {
  if (depth > MAX_GRAPH_DEPTH) {
    throw new SlicedInferenceError(
      `graphs inside attributes may nest ${MAX_GRAPH_DEPTH} deep`,
      'deeper ones',
      'the file is damaged or hostile',
    );
  }
  const defined = new Set<string>();
  const used = new Set<string>();
  for (const field of fields(source, span)) {
    switch (field.number) {
      case 1: {
        const node = parseNode(source, content(field), context, depth);
        node.outputs.forEach((output) => defined.add(output));
        node.inputs.forEach((input) => used.add(input));
        node.freeNames.forEach((name) => used.add(name));
        for (const use of node.operators) contents.operators.push(use);
        contents.externalSparse ??= node.externalSparse;
        contents.hasExternal ||= node.hasExternal;
        contents.heldBytes += node.heldBytes;
        break;
      }
      case 5: {
        const tensor = parseTensor(source, content(field), context);
        defined.add(tensor.name);
        noteTensor(tensor, contents);
        break;
      }
      case 15: {
        for (const part of fields(source, content(field))) {
          if (part.number > 2) continue;
          const tensor = parseTensor(source, content(part), context);
          if (part.number === 1) defined.add(tensor.name);
          noteSparse(tensor, contents);
        }
        break;
      }
      case 11: // input
        defined.add(valueName(source, content(field)));
        break;
      case 12: // output
        used.add(valueName(source, content(field)));
        break;
    }
  }
  for (const name of used) {
    if (name === '' || defined.has(name)) continue;
    // Counted at each depth, since each depth keeps its own.
    context.countUse();
    contents.freeNames ??= new Set();
    contents.freeNames.add(name);
  }
}

/** The name of a `ValueInfoProto`. */
export function valueName(source: ByteSource, span: Span): string {
  for (const field of fields(source, span)) if (field.number === 1) return text(source, field);
  return '';
}

function noteTensor({ external, byteLength }: Tensor, contents: Contents): void {
  contents.hasExternal ||= external;
  contents.heldBytes += byteLength;
}

function noteSparse(tensor: Tensor, contents: Contents): void {
  if (tensor.external) contents.externalSparse ??= tensor.name === '' ? quoted('(unnamed)') : tensor.name;
}
