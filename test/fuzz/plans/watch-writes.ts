/** Records which files a process changes. */
import * as path from 'node:path';
import { createRequire } from 'node:module';

/** The functions that change files, with the positions of the arguments that name what they change. */
const CHANGES = {
  appendFileSync: [0],
  chmodSync: [0],
  copyFileSync: [1],
  cpSync: [1],
  linkSync: [1],
  mkdirSync: [0],
  mkdtempSync: [0],
  renameSync: [0, 1],
  rmSync: [0],
  rmdirSync: [0],
  symlinkSync: [1],
  truncateSync: [0],
  unlinkSync: [0],
  utimesSync: [0],
  writeFileSync: [0],
} as const;

type FileFunctions = Record<string, (...args: unknown[]) => unknown>;

export interface WriteWatch {
  /** Paths outside of the allowed folder that were changed. */
  readonly outside: readonly string[];
  readonly stop: () => void;
}

/** Replaces the functions of Node.js that change files by ones that also record the paths, until `stop` is called. */
export function watchWrites(allowed: string): WriteWatch {
  // The module object itself: an `import` of this file would be a copy.
  const fs = createRequire(__filename)('node:fs') as FileFunctions;
  const outside: string[] = [];
  const originals = new Map(Object.keys(CHANGES).map((name) => [name, fs[name]]));
  const record = (target: unknown): void => {
    const file = path.resolve(String(target));
    if (file !== allowed && !file.startsWith(`${allowed}${path.sep}`)) outside.push(file);
  };
  for (const [name, positions] of Object.entries(CHANGES)) {
    const original = fs[name];
    fs[name] = (...args) => {
      for (const position of positions) record(args[position]);
      return original(...args);
    };
  }
  const open = fs.openSync;
  originals.set('openSync', open);
  fs.openSync = (...args) => {
    if (args[1] !== undefined && args[1] !== 'r') record(args[0]);
    return open(...args);
  };
  const stop = (): void => {
    for (const [name, original] of originals) fs[name] = original;
  };
  return { outside, stop };
}
