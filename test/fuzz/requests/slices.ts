/** The slices that get mutated requests and events: the deployed functions' code over objects in memory. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { SliceEvent } from '../../../contract/slice-event';
import { makeHandler, type SliceHandler } from '../../../lambda/handler';
import type { ObjectStore } from '../../../lambda/store/object-store';
import { encodeSafetensors } from '../../../lambda/tensors/safetensors';
import { MemoryObjects } from '../../support/memory-objects';
import { BUCKET, stageModel } from '../../support/tiny-slice';
import { MANIFESTS, MODELS } from './echo-model';
import { stored } from './oracle';
import { STORED_KEY } from './request-cases';

export type Ending = { readonly answer: Awaited<ReturnType<SliceHandler>> } | { readonly error: unknown };

/** The objects of the case, as `bucket/key`. */
let objects = new MemoryObjects();

/** The log of the case. */
export const lines: string[] = [];

const store: ObjectStore = {
  get: ({ bucket, key }, ...rest) => objects.get({ bucket, key: `${bucket}/${key}` }, ...rest),
  write: ({ bucket, key }, ...rest) => objects.write({ bucket, key: `${bucket}/${key}` }, ...rest),
  prepareConnection: () => Promise.resolve(),
  closeIdleConnections: () => undefined,
};

const staged = new MemoryObjects();
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'slices-'));
const handlers = MODELS.map((model, slice) => {
  const variables = stageModel(staged, `${slice}.onnx`, model, MANIFESTS[slice]);
  return makeHandler(variables, () => store, { root, write: (line) => lines.push(line) });
});

const lasting = new Map([[`${BUCKET}/${STORED_KEY}`, encodeSafetensors(stored)]]);
for (const key of staged.keys()) lasting.set(`assets/${key}`, staged.bytes(key) ?? new Uint8Array());

export function beginCase(): void {
  objects = new MemoryObjects();
  for (const [key, bytes] of lasting) objects.put(key, bytes);
  lines.length = 0;
}

/**
 * Sends the event, as Lambda does: the slice may get any JSON.
 * @throws if a slice writes or reads other objects than those of its run and its request, or leaves a connection open
 */
export async function call(slice: number, event: unknown, run: unknown): Promise<Ending> {
  const ending = await handlers[slice](event as SliceEvent).then(
    (answer) => ({ answer }),
    (error: unknown) => ({ error }),
  );
  const own = typeof run === 'string' ? [`runs/${run}/slice-00`, `outputs/${run}`] : [];
  const allowed = own.map((key) => `${BUCKET}/${key}.safetensors`);
  const isForeign = (key: string): boolean =>
    !allowed.includes(key) && !key.startsWith(`${BUCKET}/inputs/`) && !key.startsWith('assets/');
  const other = written().find((key) => !allowed.includes(key));
  if (other !== undefined) throw new Error(`wrote ${other}`);
  const foreign = requested().find((key) => isForeign(key) || key.split('/').includes('..'));
  if (foreign !== undefined) throw new Error(`read ${foreign}`);
  if (objects.openBodies > 0) throw new Error(`${objects.openBodies} connections that stay open`);
  return ending;
}

export function objectIn(key: string): Uint8Array | undefined {
  return objects.bytes(`${BUCKET}/${key}`);
}

/** What the case has written, as `bucket/key`. */
export function written(): string[] {
  return objects.keys().filter((key) => !lasting.has(key));
}

/** What the case has tried to read, as `bucket/key`. */
export function requested(): string[] {
  return objects.reads.map(({ key }) => key);
}
