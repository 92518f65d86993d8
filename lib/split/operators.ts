/** Which inputs of an operator its parts divide, and along which axis. The other inputs go to every part. */
import type { Node } from '../onnx/model';
import type { Attributes } from './subject';

export interface DividedOperator {
  /** Position of the weight among the inputs. */
  readonly weight: number;
  /** By position of the input: its axis that has an element, or several, for each column. Negative axes count from the end. */
  readonly along: ReadonlyMap<number, number>;
  /** The axis of the output along which the parts are joined. */
  readonly output: number;
  /** The attribute with the number of columns. */
  readonly lengthAttribute?: string;
}

const along = (...axes: readonly (readonly [input: number, axis: number])[]): ReadonlyMap<number, number> =>
  new Map(axes);

const columns = (weight: number, axes: DividedOperator['along']) =>
  ({ weight, along: axes, output: -1 }) as const;

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
};

/** `undefined` if this library does not know how to divide the operator. */
export function dividedOperator(operator: string, attributes: Attributes): DividedOperator | undefined {
  const isSet = (name: string): boolean => (attributes.get(name)?.integer ?? 0) !== 0;
  if (operator === 'Gemm') return { ...columns(1, along([1, isSet('transB') ? 0 : 1], [2, -1])), output: 1 };
  if (operator === 'Gather' && !isSet('axis')) return columns(0, along([0, -1]));
  return Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
}

/** With its domain, unless it is ai.onnx. */
export function operatorOf({ domain, opType }: Pick<Node, 'domain' | 'opType'>): string {
  return domain === '' ? opType : `${domain}.${opType}`;
}
