/** The slices that get mutated requests and events: the deployed functions' code over objects in memory. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { SliceEvent } from '../../../contract/slice-event';
import { makeHandler, type SliceHandler } from '../../../lambda/handler';
import { encodeSafetensors } from '../../../lambda/tensors/safetensors';
import { BUCKET, stageSlice } from '../../support/tiny-slice';
import { CaseObjects } from './case-objects';
import { stageEchoSlice } from './echo-slice';
import { STORED_REQUESTS } from './stored-requests';

export const SLICES = ['tiny 0', 'tiny 1', 'echo'] as const;

export type SliceName = (typeof SLICES)[number];

export type Ending = { readonly answer: Awaited<ReturnType<SliceHandler>> } | { readonly error: unknown };

export const objects = new CaseObjects();

/** The log of the case. */
export const lines: string[] = [];

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'slices-'));

const handlers: Readonly<Record<SliceName, SliceHandler>> = {
  'tiny 0': handlerOf(stageSlice(objects.lasting, 0)),
  'tiny 1': handlerOf(stageSlice(objects.lasting, 1)),
  echo: handlerOf(stageEchoSlice(objects.lasting)),
};

for (const { key, tensors } of Object.values(STORED_REQUESTS)) {
  objects.lasting.put(key, encodeSafetensors(tensors));
}

function handlerOf(variables: Readonly<Record<string, string>>): SliceHandler {
  return makeHandler(variables, () => objects, { root, write: (line) => lines.push(line) });
}

export function beginCase(): void {
  objects.reset();
  lines.length = 0;
}

/** Sends the event, as Lambda does: the slice may get any JSON. */
export async function call(slice: SliceName, event: unknown): Promise<Ending> {
  try {
    return { answer: await handlers[slice](event as SliceEvent) };
  } catch (error) {
    return { error };
  }
}

/** @throws if the case has written or read other objects than those of its run and its request, or left a connection open */
export function checkObjects(run: unknown): void {
  const isNamed = typeof run === 'string';
  const own = isNamed ? [`runs/${run}/slice-00.safetensors`, `outputs/${run}.safetensors`] : [];
  const allowed = own.map((key) => `${BUCKET}/${key}`);
  const other = objects.written.find((key) => !allowed.includes(key));
  if (other !== undefined) throw new Error(`wrote ${other}`);
  const foreign = objects.requested.find(
    (key) => !allowed.includes(key) && !key.startsWith(`${BUCKET}/inputs/`) && !key.startsWith('assets/'),
  );
  if (foreign !== undefined) throw new Error(`read ${foreign}`);
  const outside = objects.requested.find((key) => key.split('/').includes('..'));
  if (outside !== undefined) throw new Error(`read ${outside}`);
  if (objects.openBodies > 0) throw new Error(`${objects.openBodies} connections that stay open`);
}
