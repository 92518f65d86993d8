/** Tensors of a row or a line whose columns have the names of the model's inputs. */
import type { TensorSpec } from '../../contract/tensors';
import { invalidInput } from '../errors';
import { isRecord, kindOf, quotedName } from '../json-values';
import { decodeInlineTensor } from '../request/inline-tensor';
import type { ParsedInput } from '../request/request';

/**
 * A list of numbers is a tensor with its shape. Sizes of 1 before it are added up to the rank of the input, so a list of 128 numbers is the
 * [1,128] of a model with batches. Other columns do not matter. A text is JSON, as in CSV, unless the tensor has texts.
 */
export function inputOfRow(row: unknown, specs: readonly TensorSpec[]): ParsedInput {
  const fields = isRecord(row) ? row : {};
  const own = specs.filter(({ name }) => Object.hasOwn(fields, name));
  const tensors = own.map(({ name, dtype, shape: wanted }) => {
    const { shape, data } = flat(name, dtype === 'string' ? fields[name] : parsedCell(fields[name]));
    const ones = Array<number>(Math.max(0, (wanted?.length ?? 0) - shape.length)).fill(1);
    return [name, decodeInlineTensor(name, { dtype, shape: [...ones, ...shape], data })] as const;
  });
  return { tensors: { kind: 'inline', tensors: new Map(tensors) }, inline: 'never' };
}

function parsedCell(cell: unknown): unknown {
  try {
    return typeof cell === 'string' ? JSON.parse(cell) : cell;
  } catch {
    // The tensor's dtype refuses it.
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
      throw invalidInput(`${what}, got ${kindOf(data.find((list) => !Array.isArray(list)) ?? data)}`, {
        tensor: name,
      });
    }
    shape.push(length);
    data = (data as unknown[][]).flat();
  }
  return { shape, data };
}
