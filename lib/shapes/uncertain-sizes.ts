/** Finds the nodes whose outputs may have other sizes than ONNX Runtime infers for them. */
import { ATTRIBUTE, GRAPH, NODE } from '../onnx/fields';
import { calledFunctions } from '../onnx/local-functions';
import type { Model, Node, OperatorUse } from '../onnx/model';
import { text } from '../onnx/parse-tensor';
import type { Span } from '../onnx/wire';
import { ByteSource, content, fields, integer } from '../onnx/wire';

/**
 * Operators whose kernels may round otherwise than their inference, so that a size is off by one: pooling with `ceil_mode`
 * or with `auto_pad` SAME, `ConvTranspose` with `auto_pad` SAME, and `Resize` and `Upsample` by scales. Only these
 * differed in random nodes of operators that compute sizes (`test/lib/shapes/uncertain-sizes.test.ts`), and in none of the node
 * tests of ONNX 1.23 did any.
 */
const ROUNDING = /^(?!Global|QLinearGlobal).*Pool|^ConvTranspose$|^Resize$|^Upsample$/i;

/** The place of `sizes` among the inputs of `Resize`. With `sizes`, nothing is rounded. */
const RESIZE_SIZES = 3;

/** The nodes that compute sizes by rounding, themselves or in their bodies and functions. */
export function uncertainNodes(model: Model): Node[] {
  const calls = (node: Node): boolean =>
    calledFunctions(model, [node]).some(({ operators }) => operators.some(mayRound));
  const suspects = model.graph.nodes.filter((node) => node.operators.some(mayRound) || calls(node));
  if (suspects.length === 0) return [];
  const source = new ByteSource(model.files[0].path);
  try {
    // A function's attributes depend on its caller, so they are not looked at.
    return suspects.filter(
      (node) => calls(node) || [...messages(source, ownSpan(node))].some(nodeRounds(source)),
    );
  } finally {
    source.close();
  }
}

function mayRound({ opType }: Pick<OperatorUse, 'opType'>): boolean {
  return ROUNDING.test(opType);
}

function ownSpan({ field: { offset, length } }: Node): Span {
  return { start: offset, end: offset + length };
}

/** The content of each message in `span`, or only of those with one of these field numbers. */
function* messages(source: ByteSource, span: Span, numbers?: readonly number[]): Generator<Span> {
  for (const field of fields(source, span))
    if (numbers === undefined || numbers.includes(field.number)) yield content(field);
}

function nodeRounds(source: ByteSource): (span: Span) => boolean {
  return (span) => {
    const opType =
      [...messages(source, span, [NODE.opType])].map((name) => source.bytes(name).toString()).at(0) ?? '';
    const attributes = [...messages(source, span, [NODE.attribute])];
    if (ROUNDING.test(opType) && operatorRounds(source, span, opType, attributes)) return true;
    return attributes
      .flatMap((attribute) => [...messages(source, attribute, [ATTRIBUTE.g, ATTRIBUTE.graphs])])
      .flatMap((body) => [...messages(source, body, [GRAPH.node])])
      .some(nodeRounds(source));
  };
}

function operatorRounds(
  source: ByteSource,
  node: Span,
  opType: string,
  attributes: readonly Span[],
): boolean {
  if (opType === 'Upsample') return true;
  if (opType === 'Resize') {
    const inputs = [...messages(source, node, [NODE.input])];
    const sizes = inputs.at(RESIZE_SIZES);
    return sizes === undefined || sizes.start === sizes.end;
  }
  return attributes.some((attribute) => {
    let name = '';
    let number = 0;
    let word = '';
    for (const field of fields(source, attribute)) {
      if (field.number === ATTRIBUTE.name) name = text(source, field);
      if (field.number === ATTRIBUTE.i) number = integer(field);
      if (field.number === ATTRIBUTE.s) word = source.bytes(content(field)).toString('latin1');
    }
    return (name === 'ceil_mode' && number !== 0) || (name === 'auto_pad' && word.startsWith('SAME'));
  });
}
