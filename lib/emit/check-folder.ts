/** A folder of slices that was written before: its plan, and its files checked against the plan's digests. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { readCached, writeCached } from '../cache/entries';
import { fingerprint, isReliable } from '../cache/fingerprint';
import { cacheFolder } from '../cache/folder';
import { SlicedInferenceError, quoted, systemReason } from '../errors';
import type { PlannedFile, SlicePlan } from '../plan/plan';
import type { SlicePaths } from './store';

/** Bytes hashed at a time. */
const READ_BYTES = 1024 * 1024;

/**
 * Where the files of the plan's slices lie below `folder`. Each file is read once and then known by its fingerprint.
 *
 * @throws SlicedInferenceError for a file that is missing or has other bytes than the plan says
 */
export function checkedSlices(folder: string, { slices }: SlicePlan): SlicePaths[] {
  const check = (planned: PlannedFile): string => checkedFile(path.resolve(folder, planned.file), planned);
  return slices.map(({ model, weights }) => ({
    model: check(model),
    ...(weights && { weights: check(weights) }),
  }));
}

function checkedFile(file: string, planned: PlannedFile): string {
  let size: number;
  let digest: string;
  try {
    size = fs.statSync(file).size;
    digest = size === planned.bytes ? digestOf(file) : '';
  } catch (error) {
    throw new SlicedInferenceError(
      `slice file ${quoted(file)} must be there`,
      systemReason(error),
      'slice the model again',
    );
  }
  if (digest === planned.sha256) return file;
  throw new SlicedInferenceError(
    `slice file ${quoted(file)} must have the ${planned.bytes} bytes of its plan`,
    size === planned.bytes ? 'other bytes' : `${size} bytes`,
    'copy it again, or slice the model again',
  );
}

function digestOf(file: string): string {
  const cache = cacheFolder('plans');
  const print = fingerprint(file);
  const key = createHash('sha256').update(`digest\n${file}\n${print}`).digest('hex');
  const known = readCached(cache, key);
  if (typeof known === 'string') return known;
  const digest = readDigest(file);
  if (isReliable(print) && fingerprint(file) === print) writeCached(cache, key, digest);
  return digest;
}

function readDigest(file: string): string {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  const descriptor = fs.openSync(file, 'r');
  try {
    for (let read = fs.readSync(descriptor, buffer); read > 0; read = fs.readSync(descriptor, buffer))
      hash.update(buffer.subarray(0, read));
  } finally {
    fs.closeSync(descriptor);
  }
  return hash.digest('hex');
}
