/** Which inputs of an operator its parts divide, and along which axis. The other inputs go to every part. */
import type { Node } from '../onnx/model';
import type { SplitAxis } from './split';
import type { Attributes } from './subject';

export interface DividedOperator {
  readonly divides: SplitAxis;
  /** Position of the weight among the inputs. */
  readonly weight: number;
  /** By position of the input: its axis that has an element, or several, for each column or channel. Negative axes count from the end. */
  readonly along: ReadonlyMap<number, number>;
  /** The axis of the output along which the parts are joined. */
  readonly output: number;
  /** The attribute with the number of columns. */
  readonly lengthAttribute?: string;
  /** Position of the input whose channels are divided as well, if the operator has groups; the attribute is `group`. */
  readonly grouped?: number;
}

const along = (...axes: readonly (readonly [input: number, axis: number])[]): ReadonlyMap<number, number> =>
  new Map(axes);

const columns = (weight: number, axes: DividedOperator['along']) =>
  ({ divides: 'columns', weight, along: axes, output: -1 }) as const;

const channels = (weight: number, axes: DividedOperator['along'], grouped = 0) =>
  ({ divides: 'channels', weight, along: axes, output: 1, grouped }) as const;

/** By domain and operator. https://onnx.ai/onnx/operators and ONNX Runtime's ContribOperators.md have their inputs. */
const OPERATORS: Readonly<Record<string, DividedOperator>> = {
  MatMul: columns(1, along([1, -1])),
  MatMulInteger: columns(1, along([1, -1], [3, -1])),
  QLinearMatMul: columns(3, along([3, -1], [4, -1], [5, -1])),
  'com.microsoft.DynamicQuantizeMatMul': columns(1, along([1, -1], [2, -1], [3, -1], [4, -1])),
  'com.microsoft.MatMulNBits': {
    ...columns(1, along([1, 0], [2, 0], [3, 0], [5, 0])),
    lengthAttribute: 'N',
  },
  Conv: channels(1, along([1, 0], [2, 0])),
  ConvInteger: channels(1, along([1, 0], [3, 0])),
  QLinearConv: channels(3, along([3, 0], [4, 0], [5, 0], [8, 0])),
  ConvTranspose: channels(1, along([1, 1], [2, 0])),
};

/** `undefined` if this library does not know how to divide the operator. */
export function dividedOperator(operator: string, attributes: Attributes): DividedOperator | undefined {
  const isSet = (name: string): boolean => (attributes.get(name)?.integer ?? 0) !== 0;
  if (operator === 'Gemm') return { ...columns(1, along([1, isSet('transB') ? 0 : 1], [2, -1])), output: 1 };
  if (operator === 'Gather' && !isSet('axis')) return columns(0, along([0, -1]));
  const found = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
  // With groups, the weight of a ConvTranspose has its output channels by group in the first axis.
  if (operator === 'ConvTranspose' && groupsOf(attributes) > 1)
    return { ...OPERATORS.ConvTranspose, along: along([1, 0], [2, 0]) };
  return found;
}

export function groupsOf(attributes: Attributes): number {
  return attributes.get('group')?.integer ?? 1;
}

/** With its domain, unless it is ai.onnx. */
export function operatorOf({ domain, opType }: Pick<Node, 'domain' | 'opType'>): string {
  return domain === '' ? opType : `${domain}.${opType}`;
}
