/** Operators that compute each element on its own. */
import { type WorkNode, movedBytes } from './node-tensors';
import { BANDWIDTH, ELEMENT_NS } from './reference-processor';

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

/** `Pow` is nearly always a square or a root; ONNX Runtime recognizes squares, and other powers take ten times as long. */
const DIVISIONS = words('Div Reciprocal Sqrt HardSigmoid HardSwish Round Mean LeakyRelu Pow');
const VECTORIZED = words('Erf Exp Tanh Sigmoid Swish Where');
const COMPOSED = words('Gelu FastGelu QuickGelu BiasGelu RotaryEmbedding');
const SLOW = words(
  'Log Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Elu Selu Celu Shrink IsNaN IsInf BitShift Softsign',
);
const SCALAR = words('Softplus Mish Mod');

/** The slower of computing and of reading and writing. */
export function elementwiseSeconds(work: WorkNode): number {
  const out = work.outputs.at(0);
  if (out === undefined) return 0;
  const isText = work.inputs.some((input) => input?.dtype === 'string');
  const nanoseconds = isText ? ELEMENT_NS.text : elementNanoseconds(work.node.opType);
  return Math.max(out.elements * nanoseconds * 1e-9, movedBytes(work) / BANDWIDTH.elementwise);
}

function elementNanoseconds(opType: string): number {
  if (DIVISIONS.has(opType)) return ELEMENT_NS.division;
  if (VECTORIZED.has(opType)) return ELEMENT_NS.vectorized;
  if (COMPOSED.has(opType)) return ELEMENT_NS.composed;
  if (SLOW.has(opType)) return ELEMENT_NS.slow;
  return SCALAR.has(opType) ? ELEMENT_NS.scalar : ELEMENT_NS.simple;
}
