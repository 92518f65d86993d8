/** Records which files a process changes. */
import * as path from 'node:path';
import { createRequire } from 'node:module';

/** Functions that change files, and those of them that change what their second argument names. */
const CHANGES =
  /^(append|chmod|copy|cp|link|mkdir|mkdtemp|open|rename|rm|symlink|truncate|unlink|utimes|write)\w*Sync$/;
const TO_SECOND = /^(copy|cp|link|rename|symlink)/;

export interface WriteWatch {
  /** Paths outside of the allowed folder that were changed. */
  readonly outside: readonly string[];
  readonly stop: () => void;
}

/** Replaces the functions of Node.js that change files by ones that also record the paths, until `stop` is called. */
export function watchWrites(allowed: string): WriteWatch {
  // The module object itself: an `import` of this file would be a copy.
  const fs = createRequire(__filename)('node:fs') as Record<string, (...args: unknown[]) => unknown>;
  const originals = Object.entries(fs).filter(([name]) => CHANGES.test(name));
  const outside: string[] = [];
  for (const [name, original] of originals) {
    fs[name] = (...args) => {
      const isRead = name === 'openSync' && (args[1] === undefined || args[1] === 'r');
      const changed = TO_SECOND.test(name) ? args.slice(name === 'renameSync' ? 0 : 1, 2) : args.slice(0, 1);
      // A file descriptor was opened by a path that was recorded.
      const files = changed
        .filter((file) => typeof file !== 'number')
        .map((file) => path.resolve(String(file)));
      const isOutside = (file: string): boolean =>
        file !== allowed && !file.startsWith(`${allowed}${path.sep}`);
      if (!isRead) outside.push(...files.filter(isOutside));
      return original(...args);
    };
  }
  const stop = (): void => {
    for (const [name, original] of originals) fs[name] = original;
  };
  return { outside, stop };
}
