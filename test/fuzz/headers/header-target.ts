/**
 * Gives a mutated safetensors file to all readers: the client's, and that of the slice functions, for a caller's file, also as
 * a request, and for a function's. They accept it with exactly its tensors, or refuse it with one clear error, and they agree.
 */
import * as fs from 'node:fs';
import { decodeTensors } from '../../../client';
import { NamedFailure } from '../../../lambda/errors';
import { SafetensorsStore } from '../../../lambda/store/safetensors-store';
import { SafetensorsError } from '../../../lambda/tensors/safetensors';
import { MemoryObjects } from '../../support/memory-objects';
import type { CaseEnd } from '../fuzz-process';
import { checkMessage } from '../message';
import type { NamedTensors } from './base-files';
import { BASE_FILES } from './base-files';
import { checkTensors, sameTensors } from './expected-tensors';
import { headerChoice } from './header-cases';
import { hasSeal, partsOf } from './header-file';
import { checkRequestReading } from './request-reading';

type Reading = { readonly tensors: NamedTensors } | { readonly refusal: string };

const KEY = 'file';

export async function runCase(filePath: string, choice: number): Promise<CaseEnd> {
  const { isSealed, firstReadBytes } = headerChoice(choice);
  const file = new Uint8Array(fs.readFileSync(filePath));
  const store = (writers: 'callers' | 'functions'): Promise<Reading> => stored(file, writers, firstReadBytes);
  const client = await reading(() => decodeTensors(file));
  const callers = await store('callers');
  const functions = await store('functions');

  if ('tensors' in client !== 'tensors' in callers) {
    throw new Error(`readers that disagree: ${described(client)}, and ${described(callers)}`);
  }
  for (const each of [client, callers, functions]) if ('tensors' in each) checkTensors(file, each.tensors);
  const isChecked = file.byteLength >= 8 && hasSeal(partsOf(file).header);
  if ('tensors' in functions !== ('tensors' in client && isChecked)) {
    throw new Error(
      `readers that disagree: ${described(client)}, and the functions' ${described(functions)}`,
    );
  }
  // The header's checksum covers names, types, shapes and the checksums of the tensors.
  if ('tensors' in client && isChecked && !isSealed) checkUnchanged(client.tensors);
  return 'tensors' in client
    ? { outcome: 'accepted', message: '', waitedMs: 0 }
    : { outcome: 'refused', message: client.refusal, waitedMs: 0 };
}

function checkUnchanged(tensors: NamedTensors): void {
  if (BASE_FILES.some((base) => sameTensors(base.tensors, tensors))) return;
  throw new Error('changed tensors with their old checksums');
}

async function stored(
  file: Uint8Array,
  writers: 'callers' | 'functions',
  firstReadBytes: number,
): Promise<Reading> {
  const objects = new MemoryObjects();
  objects.put(KEY, file);
  const store = new SafetensorsStore(objects, 'bucket', { writers, firstReadBytes });
  const result = await reading(async () => {
    const reader = await store.open(KEY);
    const all = await reader.read([...reader.heads.keys()]);
    await checkPart(store, all);
    return all;
  }, writers);
  const all = 'tensors' in result ? result.tensors : undefined;
  if (writers === 'callers') await checkRequestReading(store, KEY, all);
  if (objects.openBodies > 0) throw new Error(`${objects.openBodies} connections that stay open`);
  return result;
}

/** Every other tensor is what it was when all were read. */
async function checkPart(store: SafetensorsStore, all: NamedTensors): Promise<void> {
  const reader = await store.open(KEY);
  const names = [...reader.heads.keys()].filter((_, index) => index % 2 === 1);
  const wanted = new Set(names);
  const part = new Map([...all].filter(([name]) => wanted.has(name)));
  if (!sameTensors(part, await reader.read(names))) throw new Error('other tensors if only some are read');
}

async function reading(
  read: () => NamedTensors | Promise<NamedTensors>,
  writers?: 'functions' | 'callers',
): Promise<Reading> {
  try {
    return { tensors: await read() };
  } catch (error) {
    const isCorrupt =
      writers !== undefined && error instanceof NamedFailure && error.name === 'CorruptTensor';
    const isOther = writers !== 'functions' && error instanceof SafetensorsError;
    if (!isCorrupt && !isOther) throw error;
    checkMessage(error.message);
    return { refusal: error.message };
  }
}

function described(reading: Reading): string {
  return 'refusal' in reading ? `refused: ${reading.refusal}` : 'accepted';
}
