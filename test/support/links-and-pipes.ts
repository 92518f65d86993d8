/** Pipes and links, which commands get in place of files. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { text } from 'node:stream/consumers';
import { temporaryFolder } from './temporary-folder';

const readers: ChildProcess[] = [];
afterAll(() => {
  for (const reader of readers) reader.kill();
});

/** Makes a pipe, and returns what comes out of it. */
export function namedPipe(file: string): { readonly text: Promise<string> } {
  execFileSync('mkfifo', [file]);
  const reader = spawn('cat', [file], { stdio: ['ignore', 'pipe', 'inherit'] });
  readers.push(reader);
  return { text: text(reader.stdout) };
}

/** A link to a file that does not exist yet. */
export function link(name: string): string {
  const file = path.join(temporaryFolder(), name);
  fs.symlinkSync(path.join(temporaryFolder(), name), file);
  return file;
}

export function isLink(file: string): boolean {
  return fs.lstatSync(file).isSymbolicLink();
}
