/**
 * Stacks the requests of several items along their first dimension, and splits the result again. Items whose tensors have other types or
 * shapes than the ones before them start a new stack.
 */
import {
  stackedPrefix,
  type BatchRun,
  type BatchSettings,
  type RunItem,
} from '../../contract/batch-function';
import type { BatchRow } from '../../contract/batch';
import { CONTRACT_VERSION } from '../../contract/version';
import { ERROR_NAMES } from '../../contract/failures';
import { invalidInput, NamedFailure, sliceFailed } from '../errors';
import { openRequest, parseExecutionInput } from '../request/request';
import { quotedName } from '../json-values';
import type { ObjectStore } from '../store/object-store';
import { SafetensorsStore } from '../store/safetensors-store';
import { describeTensor, tensorBytes, type RawTensor } from '../tensors/tensor';
import type { ItemToRun, PrepareContext } from './prepare';
import { failureOfItem } from './row';

type Tensors = ReadonlyMap<string, RawTensor>;

interface Stack {
  /** Types and shapes of an item, but for the first dimension. */
  readonly kind: string;
  readonly members: { readonly item: ItemToRun; readonly tensors: Tensors; readonly rows: number }[];
  bytes: number;
}

/** The function holds the tensors of a stack, their copy in one request, and the copy that is sent. */
const MEMORY_SHARE = 4;

type FailedItem = Omit<BatchRow, 'attempt'>;

export async function stackRuns(
  items: readonly ItemToRun[],
  { items: most, inputs }: NonNullable<BatchSettings['stacking']>,
  { settings, objects, requestId, memoryBytes }: PrepareContext,
): Promise<{ runs: BatchRun[]; failed: FailedItem[] }> {
  const store = new SafetensorsStore(objects, settings.bucket);
  const failed: FailedItem[] = [];
  const runs: BatchRun[] = [];
  let open: Stack | undefined;
  const close = async (): Promise<void> => {
    if (open !== undefined) {
      const key = `${stackedPrefix(settings.resultsPrefix)}${requestId}-${runs.length}.safetensors`;
      runs.push(await stackedRun(open, key, store));
    }
    open = undefined;
  };
  for (const item of items) {
    try {
      const input = parseExecutionInput(item.request);
      const reader = await openRequest(input, { request: inputs, fixed: [] }, store, memoryBytes);
      const tensors = await reader.read([...reader.heads.keys()]);
      const bytes = [...tensors.values()].reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
      const rows = rowsOf(tensors);
      const kind = kindOf(tensors);
      const room = memoryBytes / MEMORY_SHARE;
      if (open?.kind !== kind || open.members.length >= most || open.bytes + bytes > room) await close();
      open ??= { kind, members: [], bytes: 0 };
      open.members.push({ item, tensors, rows });
      open.bytes += bytes;
    } catch (error) {
      if (!(error instanceof NamedFailure) || error.name !== ERROR_NAMES.invalidInput) throw error;
      const failure = failureOfItem(error.name, error.message);
      failed.push({ index: item.index, item: item.item, status: 'failed', failure });
    }
  }
  await close();
  return { runs, failed };
}

function rowsOf(tensors: Tensors): number {
  const sizes = new Set([...tensors.values()].map(({ shape }) => shape.at(0)));
  const [rows] = sizes;
  if (sizes.size === 1 && rows !== undefined && rows > 0) return rows;
  const got = [...tensors].map(([name, tensor]) => `${quotedName(name)} ${describeTensor(tensor)}`);
  throw invalidInput(
    `the tensors of an item that is stacked must have the same first dimension, of 1 or more, got ${got.join(', ')}`,
  );
}

function kindOf(tensors: Tensors): string {
  const kinds = [...tensors].map(([name, { dtype, shape }]) => [name, dtype, ...shape.slice(1)]);
  return JSON.stringify(kinds.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
}

export function alone({ request, resultKey, ...item }: ItemToRun): BatchRun {
  return { items: [item], request, resultKey };
}

async function stackedRun({ members }: Stack, key: string, store: SafetensorsStore): Promise<BatchRun> {
  const names = [...members[0].tensors.keys()];
  const stacked = new Map(
    names.map((name) => [name, joined(members.flatMap(({ tensors }) => tensors.get(name) ?? []))]),
  );
  await store.write(key, stacked);
  return {
    items: members.map(({ item: { index, item, result }, rows }) => ({ index, item, result, rows })),
    singles: members.map(({ item }) => alone(item)),
    request: { version: CONTRACT_VERSION, inputs: { s3: key }, output: { inline: 'never' } },
  };
}

function joined(parts: readonly RawTensor[]): RawTensor {
  const [{ dtype, shape }] = parts;
  const all = [parts.reduce((sum, part) => sum + part.shape[0], 0), ...shape.slice(1)];
  if (dtype === 'string')
    return {
      dtype,
      shape: all,
      strings: parts.flatMap((part) => (part.dtype === 'string' ? part.strings : [])),
    };
  return {
    dtype,
    shape: all,
    bytes: Buffer.concat(parts.map((part) => (part.dtype === 'string' ? EMPTY : part.bytes))),
  };
}

const EMPTY = new Uint8Array(0);

/** Writes the result of each stacked item. */
export async function splitResult(
  items: readonly RunItem[],
  key: string,
  { bucket }: BatchSettings,
  objects: ObjectStore,
): Promise<void> {
  const store = new SafetensorsStore(objects, bucket, { writers: 'functions' });
  const reader = await store.open(key);
  const tensors = await reader.read([...reader.heads.keys()]);
  const total = items.reduce((sum, { rows = 0 }) => sum + rows, 0);
  for (const [name, tensor] of tensors) {
    if (tensor.shape[0] === total) continue;
    throw sliceFailed(
      `output ${quotedName(name)} of ${total} stacked rows must have them as its first dimension, got ${describeTensor(tensor)}: leave stacking out`,
    );
  }
  let first = 0;
  for (const { result, rows = 0 } of items) {
    const range = [first, first + rows] as const;
    await store.write(
      result,
      new Map([...tensors].map(([name, tensor]) => [name, part(tensor, total, range)])),
    );
    first += rows;
  }
}

function part(tensor: RawTensor, total: number, [first, end]: readonly [number, number]): RawTensor {
  const shape = [end - first, ...tensor.shape.slice(1)];
  if (tensor.dtype === 'string') {
    const each = tensor.strings.length / total;
    return { dtype: tensor.dtype, shape, strings: tensor.strings.slice(first * each, end * each) };
  }
  const each = tensor.bytes.byteLength / total;
  return { dtype: tensor.dtype, shape, bytes: tensor.bytes.subarray(first * each, end * each) };
}
