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
import { CONTRACT_VERSION } from '../../contract/version';
import { invalidInput, sliceFailed } from '../errors';
import { openRequest, parseExecutionInput } from '../request/request';
import { quotedName } from '../json-values';
import { SafetensorsStore } from '../store/safetensors-store';
import { joined, rowsOf } from '../tensors/stacked';
import { describeTensor, tensorBytes, type RawTensor } from '../tensors/tensor';
import type { BatchContext } from './context';

/** An item that has no result yet. */
export type ItemToRun = RunItem & { readonly request: unknown; readonly resultKey: string };

type Tensors = ReadonlyMap<string, RawTensor>;

interface StackedItem {
  readonly item: ItemToRun;
  readonly tensors: Tensors;
  /** Its size of the first dimension. */
  readonly rows: number;
}

/** The function holds the tensors of a stack, their copy in one request, and the copy that is sent. */
const MEMORY_SHARE = 4;

export class Stacks {
  private readonly store: SafetensorsStore;
  private readonly runs: BatchRun[] = [];
  private members: StackedItem[] = [];
  /** Of the members: types and shapes without the first dimension, rows and bytes of all. */
  private held = { kind: '', rows: 0, bytes: 0 };

  constructor(
    private readonly stacking: NonNullable<BatchSettings['stacking']>,
    private readonly context: BatchContext,
  ) {
    this.store = new SafetensorsStore(context.objects, context.settings.bucket);
  }

  /** @throws NamedFailure `InvalidInput` if the item cannot be stacked */
  async add(item: ItemToRun): Promise<void> {
    const { stacking, context, store, held } = this;
    const specs = { request: stacking.inputs, fixed: [] };
    const reader = await openRequest(parseExecutionInput(item.request), specs, store, context.memoryBytes);
    const tensors = await reader.read([...reader.heads.keys()]);
    const [kind, rows] = [kindOf(tensors), commonRows(tensors)];
    const bytes = [...tensors.values()].reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
    const fits = held.bytes + bytes <= context.memoryBytes / MEMORY_SHARE;
    // Rows count, not items: bits and memory are those of the model with so many.
    if (kind !== held.kind || held.rows + rows > stacking.items || !fits) await this.close();
    this.members.push({ item, tensors, rows });
    this.held = { kind, rows: this.held.rows + rows, bytes: this.held.bytes + bytes };
  }

  async finish(): Promise<readonly BatchRun[]> {
    await this.close();
    return this.runs;
  }

  private async close(): Promise<void> {
    const { members, runs, context, store } = this;
    if (members.length === 0) return;
    const prefix = stackedPrefix(context.settings.resultsPrefix);
    const key = `${prefix}${context.requestId}-${runs.length}.safetensors`;
    const names = [...members[0].tensors.keys()];
    const stacked = names.map(
      (name) => [name, joined(members.flatMap(({ tensors }) => tensors.get(name) ?? []))] as const,
    );
    await store.write(key, new Map(stacked));
    runs.push({
      items: members.map(({ item: { index, item, result }, rows }) => ({ index, item, result, rows })),
      singles: members.map(({ item }) => alone(item)),
      request: { version: CONTRACT_VERSION, inputs: { s3: key }, output: { inline: 'never' } },
    });
    this.members = [];
    this.held = { kind: '', rows: 0, bytes: 0 };
  }
}

function commonRows(tensors: Tensors): number {
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

/** Writes the result of each stacked item. */
export async function splitResult(
  items: readonly RunItem[],
  key: string,
  { settings, objects }: BatchContext,
): Promise<void> {
  const store = new SafetensorsStore(objects, settings.bucket, { writers: 'functions' });
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
    const end = first + rows;
    const own = [...tensors].map(([name, tensor]) => [name, rowsOf(tensor, first, end)] as const);
    await store.write(result, new Map(own));
    first = end;
  }
}
