/** Runs cases one by one in a process that may crash, hang or swell; `watch.ts` starts and watches it. */
import * as fs from 'node:fs';
import { setImmediate } from 'node:timers/promises';

export const OUTCOMES = [
  'accepted',
  'refused',
  'refused by ONNX Runtime',
  'crashed ONNX Runtime',
  'no answer from ONNX Runtime',
] as const;

/** The end of a case in which the target behaved correctly. */
export interface CaseEnd {
  readonly outcome: (typeof OUTCOMES)[number];
  /** Why the file was refused; empty if it was accepted. */
  readonly message: string;
  /** Time that the case waited for ONNX Runtime, in ms. */
  readonly waitedMs: number;
}

export interface Question {
  /** Path of the file of the case. */
  readonly path: string;
  readonly choice: number;
}

export interface Answer {
  /** How the case ended, or the error that the target threw. */
  readonly end: CaseEnd | { readonly thrown: string };
  /** Duration of the case without the time of ONNX Runtime, in ms. */
  readonly ownMs: number;
  /** Peak of the process's memory during the case, in MB (2^20 bytes). */
  readonly peakMb: number;
  /** Memory that the process keeps after the case, in MB. */
  readonly restingMb: number;
}

/** Exports of the module of a target. */
export interface Target {
  /** @throws if the library behaves wrongly */
  runCase(path: string, choice: number): CaseEnd | Promise<CaseEnd>;
}

const KIB_PER_MB = 1024;

async function answer(target: Target, { path, choice }: Question): Promise<Answer> {
  resetPeak();
  const start = performance.now();
  let end: Answer['end'];
  try {
    end = await target.runCase(path, choice);
    // A rejection that nobody handles ends this process now, not in the next case.
    await setImmediate();
  } catch (error) {
    end = { thrown: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  const ownMs = performance.now() - start - ('waitedMs' in end ? end.waitedMs : 0);
  const peakMb = memoryPeakMb();
  return { end, ownMs, peakMb, restingMb: process.memoryUsage.rss() / 2 ** 20 };
}

/** Linux can reset the peak (`man proc_pid_clear_refs`); other systems only know the peak since the process started. */
function resetPeak(): void {
  try {
    fs.writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Another system, or a container that forbids it. Before it fails a case, the watcher tries it in a new process.
  }
}

function memoryPeakMb(): number {
  try {
    const peak = /VmHWM:\s*(\d+) kB/.exec(fs.readFileSync('/proc/self/status', 'latin1'));
    if (peak !== null) return Number(peak[1]) / KIB_PER_MB;
  } catch {
    // Other systems only report the peak since the process started.
  }
  return process.resourceUsage().maxRSS / KIB_PER_MB;
}

if (require.main === module) {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- its path is an argument
  const target = require(process.argv[2]) as Target;
  process.on('message', (question: Question) => {
    void answer(target, question).then((result) => process.send?.(result));
  });
  process.on('disconnect', () => process.exit());
}
