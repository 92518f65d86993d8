/** Collects what became of the children of a Map Run in temporary files, and writes them to S3. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Readable } from 'node:stream';
import type { JsonObject } from '../../json';
import { ERROR, StateError } from '../state-error';
import type { MapStorage } from './map-storage';

/** FAILED also has the children that timed out or were aborted. */
const KINDS = ['FAILED', 'PENDING', 'SUCCEEDED'] as const;

export type ResultKind = (typeof KINDS)[number];

interface ResultsLocation {
  readonly bucket: string;
  readonly prefix: string;
  /** Of the Map Run. */
  readonly id: string;
}

export class ResultFiles {
  private readonly open = new Map<ResultKind, number>();
  private readonly names: Readonly<Record<ResultKind, string>>;

  constructor(
    private readonly storage: MapStorage,
    private readonly location: ResultsLocation,
  ) {
    fs.mkdirSync(storage.folder, { recursive: true });
    const name = (kind: ResultKind): string => path.join(storage.folder, `${location.id}-${kind}`);
    this.names = { FAILED: name('FAILED'), PENDING: name('PENDING'), SUCCEEDED: name('SUCCEEDED') };
  }

  add(kind: ResultKind, record: JsonObject): void {
    const file = this.open.get(kind) ?? fs.openSync(this.names[kind], 'a');
    this.open.set(kind, file);
    fs.writeSync(file, `${JSON.stringify(record)}\n`);
  }

  /** Returns the key of the manifest. https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html */
  async write(mapRunArn: string): Promise<string> {
    const { bucket, prefix, id } = this.location;
    const folder = `${prefix}${prefix === '' || prefix.endsWith('/') ? '' : '/'}${id}/`;
    try {
      const files: Partial<Record<ResultKind, JsonObject[]>> = {};
      for (const kind of KINDS) {
        const isEmpty = !fs.existsSync(this.names[kind]);
        const [Key, body] = [`${folder}${kind}_0.json`, () => Readable.from(arrayOf(this.names[kind]))];
        files[kind] = isEmpty ? [] : [{ Key, Size: await this.storage.write(bucket, Key, body()) }];
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

  close(): void {
    for (const file of this.open.values()) fs.closeSync(file);
    this.open.clear();
  }

  /** Removes the files, but keeps `SUCCEEDED` for a redrive. */
  remove(...kinds: readonly ResultKind[]): void {
    this.close();
    for (const kind of kinds) fs.rmSync(this.names[kind], { force: true });
  }
}

/** Turns lines of JSON into an array. */
async function* arrayOf(file: string): AsyncGenerator<Buffer> {
  // Each record is shown only when the next one is known, so that no comma follows the last one.
  let held: Buffer | undefined;
  yield Buffer.from('[');
  for await (const chunk of fs.createReadStream(file) as AsyncIterable<Buffer>) {
    if (held !== undefined) yield held;
    held = Buffer.from(chunk.map((byte) => (byte === NEWLINE ? COMMA : byte)));
  }
  if (held !== undefined) yield held.subarray(0, -1);
  yield Buffer.from(']');
}

const NEWLINE = 0x0a;
const COMMA = 0x2c;
