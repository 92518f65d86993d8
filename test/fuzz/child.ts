/** Runs cases one by one in a process that may crash, hang or swell; `watch.ts` starts and watches it. */
import * as fs from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { CaseEnd } from './case';

export interface Question {
  /** Path of the file of the case. */
  readonly path: string;
  readonly settings: unknown;
}

/** How the case ended, or the error that the target threw. */
export type Answer = (CaseEnd | { readonly failure: string }) & {
  readonly ms: number;
  /** Peak of the process's memory during the case, in MB (2^20 bytes). */
  readonly peakMb: number;
  /** Memory that the process keeps after the case, in MB. */
  readonly restingMb: number;
};

/** Exports of the module of a target. */
interface Target {
  /** @throws if the library behaves wrongly */
  runCase(path: string, settings: unknown): CaseEnd | Promise<CaseEnd>;
}

async function answer(target: Target, { path, settings }: Question): Promise<Answer> {
  resetPeak();
  const start = performance.now();
  let end: CaseEnd | { readonly failure: string };
  try {
    end = await target.runCase(path, settings);
    // A rejection that nobody handles ends this process now, not in the next case.
    await setImmediate();
  } catch (error) {
    end = { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  const ms = performance.now() - start;
  const peakMb = memoryMb('self', 'VmHWM') ?? process.resourceUsage().maxRSS / 1024;
  return { ...end, ms, peakMb, restingMb: process.memoryUsage.rss() / 2 ** 20 };
}

/** Linux can reset the peak (`man proc_pid_clear_refs`); other systems only know the peak since the process started. */
function resetPeak(): void {
  try {
    fs.writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Another system, or a container that forbids it. Before it fails a case, the watcher tries it in a new process.
  }
}

/** Returns `undefined` on other systems than Linux, and if the process has ended. */
export function memoryMb(pid: number | 'self', field: 'VmHWM' | 'VmRSS'): number | undefined {
  try {
    const [, kb] = fs.readFileSync(`/proc/${pid}/status`, 'latin1').split(`${field}:`);
    return parseInt(kb) / 1024;
  } catch {
    return undefined;
  }
}

if (require.main === module) {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- its path is an argument
  const target = require(process.argv[2]) as Target;
  process.on('message', (question: Question) => {
    void answer(target, question).then((result) => process.send?.(result));
  });
  process.on('disconnect', () => process.exit());
}
