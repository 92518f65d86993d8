/** Files that a test writes, and files of JSON of which one place is changed, as a program without types may. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { temporaryFolder } from './temporary-folder';

/** Writes a file into a new folder, and returns its path. */
export function fileWith(content: string | Uint8Array, name = 'file.json'): string {
  const file = path.join(temporaryFolder(), name);
  fs.writeFileSync(file, content);
  return file;
}

/**
 * @param place such as `slices[2].model.file`
 * @param value `undefined` leaves the field out
 * @returns the path of the changed file
 */
export function changedFile(text: string, place: string, value: unknown): string {
  const json = JSON.parse(text) as object;
  const keys = place.match(/[^.[\]']+/g) ?? [];
  const parent = keys
    .slice(0, -1)
    .reduce((object, key) => (object as Readonly<Record<string, object>>)[key], json);
  // `__proto__` must become a field.
  const field = { value, enumerable: true, configurable: true, writable: true };
  Object.defineProperty(parent, keys[keys.length - 1], field);
  return fileWith(JSON.stringify(json));
}
