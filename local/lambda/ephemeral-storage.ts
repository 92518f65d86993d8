/**
 * Limits the size of a sandbox's `/tmp` inside its worker, as a full disk would: a write that does not fit fails with
 * ENOSPC. No operating system limits a folder without the rights of an administrator, so this wraps the few functions
 * of Node.js by which all its JavaScript code writes to files: `fs`, `fs.promises`, file handles and streams end there.
 * `process.binding` reaches them; test/local/lambda/ephemeral-storage.test.ts runs with every supported Node.js.
 *
 * Not limited: what native code, child processes and worker threads write. It counts as soon as this process writes again.
 * Not counted: files that were deleted while they are open, and the file system's own data. Holes in files take no space.
 */
// The module itself, because the names of a namespace cannot be replaced.
import fs, { type Stats } from 'node:fs';
import Module from 'node:module';
import * as path from 'node:path';

type Function = (this: unknown, ...args: unknown[]) => unknown;
type Constructor = new (...args: unknown[]) => object;

interface FileRequest {
  oncomplete: Function;
}

interface Write {
  readonly bytes: number;
  /** A descriptor, or the path of a file that the write creates or replaces. */
  readonly target: number | string;
  /** Where the write starts; `undefined` for the current position, or the end. */
  readonly position?: number;
  /** Whether what the file has is kept. */
  readonly appends?: boolean;
}

/** The system call that an error names, and how the arguments of a function describe a write. */
type Wrapped = readonly [syscall: string, describe: (args: unknown[]) => Write];

/** Functions of the binding. Not every version of Node.js has all of them. */
const FUNCTIONS: Readonly<Record<string, Wrapped>> = {
  // (fd, buffer, offset, length, position, …)
  writeBuffer: ['write', ([fd, , , length, position]) => atPosition(fd, Number(length), position)],
  // (fd, buffers, position, …)
  writeBuffers: ['write', ([fd, buffers, position]) => atPosition(fd, totalSize(buffers), position)],
  // (fd, text, position, encoding, …)
  writeString: [
    'write',
    ([fd, text, position, encoding]) =>
      atPosition(fd, Buffer.byteLength(String(text), encoding as BufferEncoding), position),
  ],
  // (path or fd, text, flags, mode)
  writeFileUtf8: [
    'write',
    ([target, text, flags]) => wholeFile(target, Buffer.byteLength(String(text)), flags),
  ],
  // (source, destination, …)
  copyFile: ['copyfile', copy],
  cpSyncOverrideFile: ['copyfile', copy],
  cpSyncCopyDir: ['cp', copy],
};

/** Node.js 26 writes and copies whole files in one step, which it calls a job. */
const JOBS: Readonly<Record<string, Wrapped>> = {
  CpDirJob: ['cp', copy],
  // (path, flags, mode, buffer)
  WriteFileJob: ['write', ([file, flags, , content]) => wholeFile(file, totalSize([content]), flags)],
};

/** Files take whole blocks. */
const BLOCK_BYTES = 4096;

const STAT_BLOCK_BYTES = 512;

export function limitEphemeralStorage(folder: string, bytes: number): void {
  const internals = process as unknown as { binding(name: 'fs'): Record<string, unknown> };
  const binding = internals.binding('fs');
  const storage = new EphemeralStorage(fs.realpathSync(folder), bytes);
  for (const [name, wrapped] of Object.entries(FUNCTIONS)) {
    if (binding[name] !== undefined) binding[name] = limited(binding[name] as Function, wrapped, storage);
  }
  for (const [name, [syscall, describe]] of Object.entries(JOBS)) {
    if (binding[name] === undefined) continue;
    binding[name] = new Proxy(binding[name] as Constructor, {
      construct(target, args: unknown[]) {
        if (!storage.fits(describe(args))) throw noSpace(syscall);
        return new target(...args);
      },
    });
  }
  if (binding.WriteFileJob !== undefined) wrapWholeFiles(storage);
}

class EphemeralStorage {
  /** At most this much is in use. Counting is slow, so it only happens when this bound reaches the limit. */
  private bound: number;
  /** Bytes of the writes in other threads, which a count may see or not. */
  private running = 0;

  constructor(
    private readonly folder: string,
    private readonly limit: number,
  ) {
    // An earlier worker of the sandbox may have left files.
    this.bound = sizeOf(folder, new Set());
  }

  /** Whether a write may begin. Those that run count in full, so that a disk is never fuller than it may be. */
  fits(write: Write): boolean {
    const bound = this.bound + write.bytes + 2 * BLOCK_BYTES;
    if (bound <= this.limit) {
      this.bound = bound;
      return true;
    }
    const files = new Set<string>();
    const counted = sizeOf(this.folder, files);
    const growth = this.growth(write, files);
    this.bound = counted + this.running + Math.max(growth, 0);
    return growth <= 0 || this.bound <= this.limit;
  }

  /** Notes a write in another thread. @returns a function to call at its end */
  started({ bytes }: Write): () => void {
    this.running += bytes;
    return () => {
      this.running -= bytes;
    };
  }

  /** Bytes by which a write makes the used space grow: none outside of the folder. */
  private growth({ bytes, target, position, appends = false }: Write, files: ReadonlySet<string>): number {
    if (typeof target === 'string') {
      if (!this.isInside(target)) return 0;
      const replaced = fs.statSync(target, { throwIfNoEntry: false });
      return replaced === undefined || appends ? bytes : bytes - allocated(replaced);
    }
    const stats = fs.fstatSync(target);
    if (!stats.isFile() || !files.has(idOf(stats))) return 0;
    // A file with holes may need space for every write into it.
    if (position === undefined || allocated(stats) < stats.size) return bytes;
    return Math.min(bytes, position + bytes - stats.size);
  }

  private isInside(file: string): boolean {
    try {
      const parent = fs.realpathSync(path.dirname(file));
      return parent === this.folder || parent.startsWith(this.folder + path.sep);
    } catch {
      // The folder does not exist, so the write itself will fail.
      return false;
    }
  }
}

/** Adds each file once, also if it has several names. */
function sizeOf(folder: string, files: Set<string>): number {
  let bytes = 0;
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const name = path.join(folder, entry.name);
    const stats = fs.lstatSync(name, { throwIfNoEntry: false });
    // Another process may just have deleted it.
    if (stats === undefined || files.has(idOf(stats))) continue;
    files.add(idOf(stats));
    bytes += allocated(stats);
    if (stats.isDirectory()) bytes += sizeOf(name, files);
  }
  return bytes;
}

function idOf({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}

/** Some file systems reserve blocks behind a file that grows; these do not count. */
function allocated({ size, blocks }: Stats): number {
  return Math.min(blocks * STAT_BLOCK_BYTES, Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES);
}

function noSpace(syscall: string): Error {
  const error = new Error(`ENOSPC: no space left on device, ${syscall}`);
  return Object.assign(error, { errno: -28, code: 'ENOSPC', syscall });
}

/** The last arguments of a function of the binding say how it answers: at once, by a callback or by a promise. */
function limited(original: Function, [syscall, describe]: Wrapped, storage: EphemeralStorage): Function {
  return function (this: unknown, ...args) {
    const write = describe(args);
    const request = args.find(isFileRequest);
    const isPromise = args.some((argument) => typeof argument === 'symbol');
    if (!storage.fits(write)) {
      if (isPromise) return Promise.reject(noSpace(syscall));
      if (request === undefined) throw noSpace(syscall);
      process.nextTick(() => request.oncomplete(noSpace(syscall)));
      return undefined;
    }
    if (request !== undefined) {
      const finished = storage.started(write);
      const { oncomplete } = request;
      request.oncomplete = function (...results) {
        finished();
        return oncomplete.apply(this, results);
      };
    }
    const result = original.apply(this, args);
    return isPromise ? (result as Promise<unknown>).finally(storage.started(write)) : result;
  };
}

function isFileRequest(argument: unknown): argument is FileRequest {
  return typeof argument === 'object' && argument !== null && 'oncomplete' in argument;
}

/** `fs` took the job before, so that its functions with a callback are wrapped themselves. */
function wrapWholeFiles(storage: EphemeralStorage): void {
  const module = fs as unknown as Record<'writeFile' | 'appendFile', Function>;
  for (const name of ['writeFile', 'appendFile'] as const) {
    const original = module[name];
    module[name] = function (this: unknown, ...args) {
      const [target, content] = args;
      const callback = args.at(-1);
      const bytes = typeof content === 'string' ? Buffer.byteLength(content) : totalSize([content]);
      const isWrite = typeof target === 'string' && typeof callback === 'function';
      if (!isWrite || storage.fits({ bytes, target, appends: name === 'appendFile' }))
        return original.apply(this, args);
      process.nextTick(callback, noSpace('write'));
      return undefined;
    };
  }
  // For code that imports the functions by name.
  Module.syncBuiltinESMExports();
}

function atPosition(fd: unknown, bytes: number, position: unknown): Write {
  const target = Number(fd);
  return typeof position === 'number' && position >= 0 ? { bytes, target, position } : { bytes, target };
}

function wholeFile(target: unknown, bytes: number, flags: unknown): Write {
  if (typeof target === 'number') return { bytes, target };
  return { bytes, target: String(target), appends: (Number(flags) & fs.constants.O_APPEND) !== 0 };
}

function copy([source, destination]: unknown[]): Write {
  return { bytes: contentOf(String(source)), target: String(destination) };
}

/** Copying may fill the holes of a file. */
function contentOf(source: string): number {
  const stats = fs.statSync(source, { throwIfNoEntry: false });
  if (stats?.isDirectory() !== true) return stats?.size ?? 0;
  const names = fs.readdirSync(source);
  return names.reduce((bytes, name) => bytes + contentOf(path.join(source, name)), BLOCK_BYTES);
}

function totalSize(parts: unknown): number {
  const sizes = (parts as unknown[]).map((part) => (ArrayBuffer.isView(part) ? part.byteLength : 0));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}
