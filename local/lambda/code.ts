/** Unpacks a function's zip once per code object, into a folder that its workers share. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type Platform, thisMachine, unsupportedPlatform } from '../../lib/host/packages';
import type { FunctionResource } from '../cloudformation/resources';
import { LocalCloudError } from '../local-cloud-error';
import type { DiskObjectStore } from '../s3/store';
import { BrokenZip, readZip, TooLargeZip } from '../zip-archive';

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const MAX_CODE_BYTES = 250 * 1024 * 1024;

export class CodeFolders {
  private readonly folders = new Map<string, Promise<string>>();

  constructor(
    private readonly store: DiskObjectStore,
    private readonly root: string,
  ) {}

  folderOf(code: FunctionResource['code']): Promise<string> {
    const uri = `s3://${code.bucket}/${code.key}`;
    const known = this.folders.get(uri);
    if (known !== undefined) return known;
    const folder = this.unpack(code, uri, path.join(this.root, String(this.folders.size)));
    this.folders.set(uri, folder);
    return folder;
  }

  private async unpack(code: FunctionResource['code'], uri: string, folder: string): Promise<string> {
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

/**
 * Adds ONNX Runtime's library for this machine to code that is built for Lambda's Linux. On macOS or Windows, the library is
 * copied from the package that is installed here, if it has the same version.
 */
export function addHostOnnxRuntime(code: string, machine: Platform = thisMachine()): void {
  const shipped = path.join(code, 'node_modules', 'onnxruntime-node');
  if (!fs.existsSync(shipped)) return;
  // Alpine Linux finds the library for Lambda's Linux, and cannot load it.
  const unsupported = unsupportedPlatform(machine);
  if (unsupported !== undefined) {
    throw new LocalCloudError(
      `onnxruntime-node has no library for this machine, got ${unsupported}: run on Linux with glibc, on Windows with an x64 processor, or on an Apple silicon Mac`,
    );
  }
  const library = path.join('bin', 'napi-v6', machine.platform, machine.arch);
  if (fs.existsSync(path.join(shipped, library))) return;
  const installed = path.dirname(require.resolve('onnxruntime-node/package.json'));
  if (versionOf(installed) !== versionOf(shipped)) {
    throw new LocalCloudError(
      `the functions run onnxruntime-node ${versionOf(shipped)}, got ${versionOf(installed)} installed here: ` +
        'synthesize the assembly again',
    );
  }
  fs.cpSync(path.join(installed, library), path.join(shipped, library), { recursive: true });
}

function versionOf(folder: string): string {
  return (JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')) as { version: string })
    .version;
}
