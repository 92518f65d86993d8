/** The baseline for slicing a model: copies files, then reads the copies once for their SHA-256. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';

const READ_BYTES = 4 * 1024 * 1024;

const [target, ...files] = process.argv.slice(2);
fs.mkdirSync(target, { recursive: true });
for (const file of files) {
  const copy = path.join(target, path.basename(file));
  // On some file systems of Linux, a plain copy would share blocks with the original instead of copying them.
  if (process.platform === 'linux') execFileSync('cp', ['--reflink=never', file, copy]);
  else fs.copyFileSync(file, copy);
}
const buffer = Buffer.allocUnsafe(READ_BYTES);
for (const file of files) {
  const hash = createHash('sha256');
  const descriptor = fs.openSync(path.join(target, path.basename(file)), 'r');
  for (let read = fs.readSync(descriptor, buffer); read > 0; read = fs.readSync(descriptor, buffer))
    hash.update(buffer.subarray(0, read));
  fs.closeSync(descriptor);
  process.stdout.write(`${hash.digest('hex')}  ${path.basename(file)}\n`);
}
