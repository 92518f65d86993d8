/** The inputs, weights and attributes from which models of one operator are made. */

export const FLOAT = 1;
export const UINT8 = 2;
export const INT8 = 3;
export const INT64 = 7;
export const BYTES: Readonly<Record<number, number>> = { [FLOAT]: 4, [UINT8]: 1, [INT8]: 1, [INT64]: 8 };

export interface OperatorTensor {
  readonly dtype: number;
  readonly shape: readonly number[];
  /** If set, the tensor is a weight. */
  readonly values?: (index: number) => number;
}

export interface OperatorCase {
  readonly title: string;
  readonly opType: string;
  readonly domain?: string;
  readonly inputs: readonly OperatorTensor[];
  readonly outputs?: number;
  readonly attributes?: readonly object[];
}

export const input = (shape: readonly number[], dtype = FLOAT): OperatorTensor => ({ dtype, shape });
export const weight = (shape: readonly number[], dtype = FLOAT): OperatorTensor => ({
  dtype,
  shape,
  values: (index) => (dtype === FLOAT ? ((index % 17) - 8) / 80 : index % 17),
});
export const scalar = (value: number, dtype = FLOAT): OperatorTensor => ({
  dtype,
  shape: [],
  values: () => value,
});
export const integers = (values: readonly number[]): OperatorTensor => ({
  dtype: INT64,
  shape: [values.length],
  values: (index) => values[index],
});
export const int = (name: string, i: number): object => ({ name, type: 2, i });
export const ints = (name: string, list: readonly number[]): object => ({ name, type: 7, ints: list });
