/** Where the items of `--inputs` are: in S3 already, or in a file or a folder that is uploaded below the location of the batch. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { BatchSignature } from '../../contract/batch';
import { itemsFolder } from '../../client/batch/begin';
import { quoted, SlicedInferenceError, systemReason } from '../../lib/errors';

export interface Place {
  /** The `items` of the execution's input; absent for those of the batch itself. */
  readonly items?: string;
  /** Uploads this file as `items`, or the files of this folder below it. */
  readonly local?: { readonly path: string; readonly kind: 'file' | 'folder' };
}

/** @throws SlicedInferenceError for inputs that the batch cannot read */
export function placeOf(
  inputs: string | undefined,
  name: string | undefined,
  signature: BatchSignature,
): Place {
  if (inputs === undefined) return {};
  const { kind, bucket } = signature.items;
  const folder = itemsFolder(signature.items);
  if (inputs.startsWith('s3://')) {
    const start = `s3://${bucket}/`;
    const items = inputs.slice(start.length);
    if (inputs.startsWith(start) && items.startsWith(folder)) return { items };
    throw refused(
      `must be below s3://${bucket}/${folder}, where the batch may read`,
      quoted(inputs),
      'copy the items there',
    );
  }
  const found = statOf(inputs);
  const wanted = kind === 'objects' ? 'folder' : 'file';
  if (wanted === 'folder' ? !found.isDirectory() : !found.isFile()) {
    const got = found.isDirectory()
      ? 'the folder'
      : found.isFile()
        ? 'the file'
        : 'neither a file nor a folder,';
    const advice =
      wanted === 'folder' ? 'pass the folder that contains them' : 'pass the file that lists the items';
    throw refused(
      `must be a ${wanted}, because the items of the batch are ${ITEMS[kind]}`,
      `${got} ${quoted(inputs)}`,
      advice,
    );
  }
  const real = fs.realpathSync(inputs);
  const label = name ?? labelOf(real);
  if (wanted === 'folder') return { items: `${folder}${label}/`, local: { path: real, kind: wanted } };
  const end = path.extname(real).toLowerCase();
  return { items: `${folder}${label}${/^\.\w+$/.test(end) ? end : ''}`, local: { path: real, kind: wanted } };
}

const ITEMS: Readonly<Record<BatchSignature['items']['kind'], string>> = {
  objects: 'the objects below a prefix',
  inventory: 'those of an S3 inventory',
  jsonLines: 'lines of JSON',
  csv: 'rows of a CSV file',
};

/** The same for each call with this folder, and another one for a folder of the same name elsewhere. */
function labelOf(real: string): string {
  const digest = createHash('sha256').update(`${os.hostname()}\0${real}`).digest('hex');
  const words = path.basename(real, path.extname(real)).replaceAll(/[^A-Za-z0-9]+/g, '-');
  return `${words.replaceAll(/^-|-$/g, '').slice(0, 32)}-${digest.slice(0, 8)}`;
}

function statOf(inputs: string): fs.Stats {
  try {
    return fs.statSync(inputs);
  } catch (error) {
    throw refused(
      'must be s3://BUCKET/PREFIX, a folder or a file',
      `${systemReason(error)} for ${quoted(inputs)}`,
      'check the path',
    );
  }
}

function refused(what: string, got: string, advice: string): SlicedInferenceError {
  return new SlicedInferenceError(`--inputs ${what}`, got, advice);
}
