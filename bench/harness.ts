/** What all benchmarks share: their folder, their options and their output. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { InvalidArgumentError, Option } from 'commander';

/** The project's folder, for the compiled benchmarks and for tests that use their parts. */
export const ROOT = path.join(__dirname, path.basename(path.dirname(__dirname)) === 'dist' ? '../..' : '..');

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** A shell adds it to the number of the signal that ended a program. */
const SIGNALLED = 128;

/**
 * Runs a benchmark in a folder of its own, which is also TMPDIR and the parent of the slicing cache. Removes the folder when the
 * process ends, also by an error or a signal: it has gigabytes.
 */
export async function inOwnFolder(
  parent: string,
  name: string,
  work: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = fs.mkdtempSync(path.join(parent, `${name}-`));
  // Functions' /tmp folders and the local S3 are there too.
  process.env.TMPDIR = folder;
  process.env.SLICED_INFERENCE_CACHE = path.join(folder, 'cache');
  process.once('exit', () => {
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  for (const signal of SIGNALS)
    process.once(signal, () => process.exit(SIGNALLED + os.constants.signals[signal]));
  await work(folder);
}

/** In memory, if the machine has such a folder, so that its disk is not measured. */
const MEMORY_FOLDER = fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();

export function folderOption(fallback = MEMORY_FOLDER): Option {
  return new Option('--folder <path>', 'folder for all files')
    .argParser((text: string) => {
      if (fs.statSync(text, { throwIfNoEntry: false })?.isDirectory()) return text;
      throw new InvalidArgumentError('It must be an existing folder.');
    })
    .default(fallback);
}

/** An option that is a whole number above 0. */
export function numberOption(flags: string, description: string, fallback: number): Option {
  return new Option(flags, description).argParser(positive).default(fallback);
}

export function positive(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('It must be a whole number above 0.');
  return Number(text);
}

/** Sizes of symbolic dimensions, by name. */
export function dimensionOption(): Option {
  return new Option('--dimension <name=size>', 'size of a symbolic dimension of the models; repeatable')
    .argParser(dimensionOf)
    .default({});
}

function dimensionOf(text: string, earlier: Readonly<Record<string, number>>): Record<string, number> {
  const parts = /^(.+)=([1-9]\d*)$/.exec(text);
  if (parts === null) throw new InvalidArgumentError('It must be name=size.');
  const [, name, size] = parts;
  return { ...earlier, [name]: Number(size) };
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function describeMachine(): string {
  const model = os.cpus().at(0)?.model ?? 'unknown processor';
  return `Node.js ${process.version}, ${os.cpus().length} x ${model}, ${os.type()} ${os.release()}`;
}
