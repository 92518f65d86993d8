/** Collects what became of the children of a Map Run in temporary files, and writes them to S3. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Readable } from 'node:stream';
import type { JsonObject } from '../../json';
import { ERROR, StateError } from '../state-error';
import type { MapStorage } from './map-storage';

/** FAILED also has the children that timed out or were aborted. */
const KINDS = ['FAILED', 'SUCCEEDED'] as const;

export type ResultKind = (typeof KINDS)[number];

export class ResultFiles {
  private readonly open = new Map<ResultKind, number>();
  private readonly names: Readonly<Record<ResultKind, string>>;

  constructor(
    private readonly storage: MapStorage,
    /** `id` is that of the Map Run. */
    private readonly location: { readonly bucket: string; readonly prefix: string; readonly id: string },
  ) {
    fs.mkdirSync(storage.folder, { recursive: true });
    const name = (kind: ResultKind): string => path.join(storage.folder, `${location.id}-${kind}`);
    this.names = { FAILED: name('FAILED'), SUCCEEDED: name('SUCCEEDED') };
  }

  /** Files are arrays of JSON without their end. */
  add(kind: ResultKind, record: JsonObject): void {
    const file = this.open.get(kind) ?? fs.openSync(this.names[kind], 'a');
    this.open.set(kind, file);
    fs.writeSync(file, `${fs.fstatSync(file).size === 0 ? '[' : ','}${JSON.stringify(record)}`);
  }

  /** Returns the key of the manifest. https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html */
  async write(mapRunArn: string): Promise<string> {
    const { bucket, prefix, id } = this.location;
    const folder = `${prefix}${prefix === '' || prefix.endsWith('/') ? '' : '/'}${id}/`;
    try {
      const files: Record<ResultKind | 'PENDING', JsonObject[]> = { FAILED: [], PENDING: [], SUCCEEDED: [] };
      for (const kind of KINDS) {
        if (!fs.existsSync(this.names[kind])) continue;
        const Key = `${folder}${kind}_0.json`;
        const body = Readable.from(arrayOf(this.names[kind]));
        files[kind].push({ Key, Size: await this.storage.write(bucket, Key, body) });
      }
      const manifest = JSON.stringify({
        DestinationBucket: bucket,
        MapRunArn: mapRunArn,
        ResultFiles: files,
      });
      await this.storage.write(bucket, `${folder}manifest.json`, Readable.from([Buffer.from(manifest)]));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new StateError(ERROR.resultWriterFailed, `cannot write to S3://${bucket}/${folder}: ${reason}`);
    }
    return `${folder}manifest.json`;
  }

  /** Closes all files and removes some. A redrive needs `SUCCEEDED`. */
  remove(...kinds: readonly ResultKind[]): void {
    for (const file of this.open.values()) fs.closeSync(file);
    this.open.clear();
    for (const kind of kinds) fs.rmSync(this.names[kind], { force: true });
  }
}

async function* arrayOf(file: string): AsyncGenerator<Buffer> {
  yield* fs.createReadStream(file) as AsyncIterable<Buffer>;
  yield Buffer.from(']');
}
