/** Unpacks a function's zip once per code object, into a folder that its workers share. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { LocalCloudError } from '../local-cloud-error';
import { BrokenZip, TooLargeZip, readZip } from '../zip-archive';
import type { DiskObjectStore } from '../s3/store';
import { addHostOnnxRuntime } from './host-onnxruntime';
import { MAX_CODE_BYTES } from './limits';

interface CodeLocation {
  readonly bucket: string;
  readonly key: string;
}

export class CodeFolders {
  private readonly folders = new Map<string, Promise<string>>();

  constructor(
    private readonly store: DiskObjectStore,
    private readonly root: string,
  ) {}

  folderOf(code: CodeLocation): Promise<string> {
    const uri = `s3://${code.bucket}/${code.key}`;
    const known = this.folders.get(uri);
    if (known !== undefined) return known;
    const folder = this.unpack(code, uri, path.join(this.root, String(this.folders.size)));
    this.folders.set(uri, folder);
    return folder;
  }

  private async unpack(code: CodeLocation, uri: string, folder: string): Promise<string> {
    const zip = await buffer(this.store.read(this.store.head(code.bucket, code.key)));
    unpackZip(zip, folder, uri);
    addHostOnnxRuntime(folder);
    return folder;
  }
}

export function unpackZip(zip: Uint8Array, folder: string, source: string): void {
  for (const [name, content] of entriesOf(zip, source)) {
    const file = path.resolve(folder, name);
    if (!file.startsWith(folder + path.sep)) {
      throw new LocalCloudError(
        `the zip ${source} has an entry '${name}' outside its folder: build the asset again`,
      );
    }
    if (name.endsWith('/')) continue;
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
  }
}

function entriesOf(zip: Uint8Array, source: string): Map<string, Uint8Array> {
  try {
    return readZip(zip, MAX_CODE_BYTES);
  } catch (error) {
    if (!(error instanceof BrokenZip)) throw error;
    const reason =
      error instanceof TooLargeZip
        ? // Lambda's words.
          `Unzipped size must be smaller than ${MAX_CODE_BYTES} bytes`
        : error.message;
    throw new LocalCloudError(
      `cannot unpack the function's code ${source}, got '${reason}': build the asset again`,
    );
  }
}
