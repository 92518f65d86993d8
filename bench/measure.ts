/** Runs programs and measures their time and the peak memory of each Node.js process that they start. */
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { text } from 'node:stream/consumers';

export interface Measured {
  readonly seconds: number;
  /** Largest peak of resident memory in bytes. The keys are names of scripts, without folder and extension. */
  readonly peaks: Readonly<Record<string, number | undefined>>;
}

/** Runs a Node.js program to its end. */
export function measureNode(
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Measured {
  const peaksFile = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'bench-peaks-')), 'peaks.jsonl');
  fs.writeFileSync(peaksFile, '');
  const seconds = run(process.execPath, args, {
    ...variables,
    BENCH_PEAKS: peaksFile,
    NODE_OPTIONS: `--require ${path.join(__dirname, 'record-peak.js')}`,
  });
  const peaks: Record<string, number> = {};
  for (const line of fs.readFileSync(peaksFile, 'utf8').trim().split('\n')) {
    if (line === '') continue;
    const { script, bytes } = JSON.parse(line) as { script: string; bytes: number };
    const name = path.basename(script).replace(/\.[cm]?js$/, '');
    peaks[name] = Math.max(peaks[name] ?? 0, bytes);
  }
  fs.rmSync(path.dirname(peaksFile), { recursive: true });
  return { seconds, peaks };
}

/** Runs a program to its end and returns the elapsed seconds. */
export function run(
  command: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): number {
  const start = process.hrtime.bigint();
  const { status, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, ...variables },
    maxBuffer: 2 ** 28,
  });
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (status === 0) return seconds;
  throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? stderr.trim()}`);
}

/** Runs a Node.js script with the job as JSON argument, and returns the JSON that it prints. */
export async function inChild<T>(
  script: string,
  job: object,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<T> {
  const args = ['--no-warnings', script, JSON.stringify(job)];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [answer, problem] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (answer === '') throw new Error(`${path.basename(script)} failed: ${problem.trim()}`);
  return JSON.parse(answer) as T;
}

export interface Spread {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

export function spread(samples: readonly number[]): Spread {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, lowest: sorted[0], highest: sorted[sorted.length - 1] };
}

/** `1.02 (0.98-1.10)`. */
export function formatSpread({ median, lowest, highest }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${lowest.toFixed(digits)}-${highest.toFixed(digits)})`;
}
