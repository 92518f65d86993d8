/** Tensors of a row or a line whose columns have the names of the model's inputs. */
import type { BatchItemsKind } from '../../contract/batch';
import type { TensorSpec } from '../../contract/tensors';
import { invalidInput } from '../errors';
import { isRecord, kindOf, quotedName } from '../json-values';
import { decodeInlineTensor } from '../request/inline-tensor';
import type { ParsedInput } from '../request/request';

/**
 * A list of numbers is a tensor with its shape. Sizes of 1 before it are added up to the rank of the input, so a list of 128 numbers is the
 * [1,128] of a model with batches. Other columns do not matter.
 * @param kind cells of CSV are JSON, unless the tensor has texts
 */
export function inputOfRow(row: unknown, specs: readonly TensorSpec[], kind: BatchItemsKind): ParsedInput {
  const fields = isRecord(row) ? row : {};
  const own = specs.filter(({ name }) => Object.hasOwn(fields, name));
  const names = specs.map(({ name }) => quotedName(name)).join(', ');
  if (own.length === 0)
    throw invalidInput(`an item must have 'inputs' or a field for each input, got none of ${names}`);
  const tensors = own.map(({ name, dtype, shape: wanted }) => {
    const cell = kind === 'csv' && dtype !== 'string' ? parsedCell(fields[name]) : fields[name];
    const { shape, data } = flat(name, cell);
    const ones = Array<number>(Math.max(0, (wanted?.length ?? 0) - shape.length)).fill(1);
    return [name, decodeInlineTensor(name, { dtype, shape: [...ones, ...shape], data })] as const;
  });
  return { tensors: { kind: 'inline', tensors: new Map(tensors) }, inline: 'never' };
}

/** What is no JSON stays, and does not fit the tensor. */
function parsedCell(cell: unknown): unknown {
  try {
    return JSON.parse(String(cell));
  } catch {
    return cell;
  }
}

/** Deeper lists are no tensors of any model. */
const MAX_RANK = 32;

function flat(
  name: string,
  value: unknown,
): { readonly shape: readonly number[]; readonly data: readonly unknown[] } {
  const shape: number[] = [];
  let data = [value];
  while (Array.isArray(data[0]) && shape.length < MAX_RANK) {
    const [{ length }] = data as unknown[][];
    if (!data.every((list) => Array.isArray(list) && list.length === length)) {
      const what = `the column ${quotedName(name)} must hold lists of one length at each depth`;
      const got = kindOf(data.find((list) => !Array.isArray(list)) ?? data);
      throw invalidInput(`${what}, got ${got}`, { tensor: name });
    }
    shape.push(length);
    data = (data as unknown[][]).flat();
  }
  return { shape, data };
}
