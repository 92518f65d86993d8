/** Writes the table and the results of a batch into a folder. A file has its name when it is complete, so the same command continues. */
import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { FollowedBatch } from '../../client/batch/batch';
import type { ItemResult } from '../../client/batch/results';
import type { BatchResultRow } from '../../client/batch/types';
import type { BatchResult } from '../../contract/batch';
import { INPUTS_PREFIX } from '../../contract/keys';
import { encodeSafetensors } from '../../lambda/tensors/safetensors';
import { quoted, SlicedInferenceError, systemReason } from '../../lib/errors';
import { noteUnfinished } from '../process/unfinished';
import { inPool } from './in-pool';

const FILES_AT_ONCE = 8;

/** @throws SlicedInferenceError for a path that is no folder, or a folder that cannot be written */
export function prepareFolder(out: string): void {
  try {
    fs.mkdirSync(out, { recursive: true });
    fs.accessSync(out, fs.constants.W_OK);
  } catch (error) {
    throw unwritable(out, error);
  }
}

export interface Downloaded {
  readonly folder: string;
  readonly files: number;
  /** Of them, those that were there. */
  readonly skipped: number;
}

/** Writes `table.jsonl`, and for each result a file with the name of its item and a digest of the result's place. */
export async function download(
  folder: string,
  batch: FollowedBatch,
  onFile: (files: number) => void,
): Promise<Downloaded> {
  const count = { files: 0, skipped: 0 };
  const partial = path.join(folder, `.partial-${randomBytes(6).toString('hex')}`);
  noteUnfinished({ partial, parents: [] });
  try {
    fs.mkdirSync(partial);
    const table = path.join(partial, 'table.jsonl');
    await inPool(batch.rows(), FILES_AT_ONCE, async (row) => {
      fs.appendFileSync(table, `${JSON.stringify(row)}\n`);
      if (row.result === undefined) return;
      const file = fileBelow(folder, nameOf(row, row.result));
      if (fs.existsSync(file)) count.skipped++;
      else await write(file, path.join(partial, String(row.index)), contentOf(await batch.resultOf(row)));
      onFile(++count.files);
    });
    fs.renameSync(table, path.join(folder, 'table.jsonl'));
  } catch (error) {
    throw (error as NodeJS.ErrnoException).syscall === undefined ? error : unwritable(folder, error);
  } finally {
    fs.rmSync(partial, { recursive: true, force: true });
  }
  return { folder, ...count };
}

function contentOf(result: ItemResult): Uint8Array {
  return 'output' in result
    ? Buffer.from(`${JSON.stringify(result.output)}\n`)
    : encodeSafetensors(result.tensors);
}

/** Other content has another place, so a file that is there is right. Names that differ only in case have different digests. */
function nameOf({ item }: BatchResultRow, { key, entry }: BatchResult): string {
  const digest = createHash('sha256').update(`${key} ${entry}`).digest('hex').slice(0, 12);
  const name = item.startsWith(INPUTS_PREFIX) ? item.slice(INPUTS_PREFIX.length) : item;
  const extension = key.endsWith('.jsonl') ? 'json' : 'safetensors';
  return `${name}.${digest}.${extension}`;
}

/** Most file systems allow as many in a name. */
const MAX_NAME_BYTES = 255;

/** macOS allows 1,024 in a path. */
const MAX_PATH_BYTES = 1000;

/** An item may have any name, but no file outside of the folder. On Windows, backslashes separate names too. */
function fileBelow(folder: string, name: string): string {
  const parts = name.replaceAll('\\', '%5C').replaceAll('\0', '%00').split('/');
  const safe = parts.map((part) => (/^\.{0,2}$/.test(part) ? '%2E' : shortened(part, MAX_NAME_BYTES)));
  const most = MAX_PATH_BYTES - Buffer.byteLength(path.resolve(folder));
  return path.join(folder, shortened(safe.join('/'), most));
}

/** A longer name becomes its beginning with a digest. */
function shortened(name: string, most: number): string {
  if (Buffer.byteLength(name) <= most) return name;
  const digest = createHash('sha256').update(name).digest('hex');
  return `${name.slice(0, MAX_NAME_BYTES / 5)}~${digest}${path.extname(name).slice(0, 12)}`;
}

async function write(file: string, partial: string, content: Uint8Array): Promise<void> {
  await fs.promises.mkdir(path.dirname(file), { recursive: true });
  await fs.promises.writeFile(partial, content);
  await fs.promises.rename(partial, file);
}

function unwritable(out: string, error: unknown): SlicedInferenceError {
  const what = '--out must name a folder that can be written';
  const got = `${systemReason(error)} for ${quoted((error as NodeJS.ErrnoException).path ?? out)}`;
  return new SlicedInferenceError(what, got, 'choose another folder');
}
