/**
 * Stacks the requests of several items along their first dimension, and splits the result again. Items whose tensors have other types or
 * shapes than the ones before them start a new stack. An item whose own first dimension is not 1 runs alone.
 */
import {
  stackedPrefix,
  type BatchRun,
  type BatchSettings,
  type RunItem,
} from '../../contract/batch-function';
import { CONTRACT_VERSION } from '../../contract/version';
import { sliceFailed } from '../errors';
import { openRequest, parseExecutionInput } from '../request/request';
import { quotedName } from '../json-values';
import { SafetensorsStore } from '../store/safetensors-store';
import { joined, rowsOf } from '../tensors/stacked';
import { describeTensor, tensorBytes, type RawTensor } from '../tensors/tensor';
import type { BatchContext } from './context';

/** An item that has no result yet. */
export type ItemToRun = RunItem & { readonly request: unknown; readonly resultKey: string };

type Tensors = ReadonlyMap<string, RawTensor>;

/** The function holds the tensors of a stack, their copy in one request, and the copy that is sent. */
const MEMORY_SHARE = 4;

export class Stacks {
  private readonly store: SafetensorsStore;
  private readonly runs: BatchRun[] = [];
  private members: { readonly item: ItemToRun; readonly tensors: Tensors }[] = [];
  /** Of the members: types and shapes of one, and bytes of all. */
  private held = { kind: '', bytes: 0 };

  constructor(
    private readonly stacking: NonNullable<BatchSettings['stacking']>,
    private readonly context: BatchContext,
  ) {
    this.store = new SafetensorsStore(context.objects, context.settings.bucket);
  }

  /** @throws NamedFailure `InvalidInput` if the request cannot be read */
  async add(item: ItemToRun): Promise<void> {
    const { stacking, context, store, held } = this;
    const specs = { request: stacking.inputs, fixed: [] };
    const reader = await openRequest(parseExecutionInput(item.request), specs, store, context.memoryBytes);
    const tensors = await reader.read([...reader.heads.keys()]);
    const all = [...tensors.values()];
    if (all.some(({ shape }) => shape[0] !== 1)) {
      this.runs.push(alone(item));
      return;
    }
    const kind = kindOf(tensors);
    const bytes = all.reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
    const fits = held.bytes + bytes <= context.memoryBytes / MEMORY_SHARE;
    if (kind !== held.kind || this.members.length === stacking.items || !fits) await this.close();
    this.members.push({ item, tensors });
    this.held = { kind, bytes: this.held.bytes + bytes };
  }

  async finish(): Promise<readonly BatchRun[]> {
    await this.close();
    return this.runs;
  }

  private async close(): Promise<void> {
    const { members, runs, context, store } = this;
    const singles = members.map(({ item }) => alone(item));
    this.members = [];
    this.held = { kind: '', bytes: 0 };
    if (members.length < 2) {
      runs.push(...singles);
      return;
    }
    const prefix = stackedPrefix(context.settings.resultsPrefix);
    const key = `${prefix}${context.requestId}-${runs.length}.safetensors`;
    const names = [...members[0].tensors.keys()];
    const stacked = names.map(
      (name) => [name, joined(members.flatMap(({ tensors }) => tensors.get(name) ?? []))] as const,
    );
    await store.write(key, new Map(stacked));
    runs.push({
      items: members.map(({ item: { index, item, result } }) => ({ index, item, result })),
      singles,
      request: { version: CONTRACT_VERSION, inputs: { s3: key }, output: { inline: 'never' } },
    });
  }
}

function kindOf(tensors: Tensors): string {
  const kinds = [...tensors].map(([name, { dtype, shape }]) => JSON.stringify([name, dtype, shape]));
  return kinds.sort().join();
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
  for (const [name, tensor] of tensors) {
    if (tensor.shape[0] === items.length) continue;
    throw sliceFailed(
      `output ${quotedName(name)} of ${items.length} stacked items must have them as its first dimension, got ${describeTensor(tensor)}: leave stacking out`,
    );
  }
  for (const [at, { result }] of items.entries()) {
    const own = [...tensors].map(([name, tensor]) => [name, rowsOf(tensor, at, at + 1)] as const);
    await store.write(result, new Map(own));
  }
}
