/** Runs cases one by one in a process that may crash, hang or swell: whoever started it watches it. */
import * as fs from 'node:fs';

export const OUTCOMES = [
  'accepted',
  'refused',
  'refused by ONNX Runtime',
  'crashed ONNX Runtime',
  'no answer of ONNX Runtime',
] as const;

/** A way for a case to end well. */
export interface CaseEnd {
  readonly outcome: (typeof OUTCOMES)[number];
  /** Why the model was refused; empty when it was not. */
  readonly message: string;
  /** Part of the time that was spent waiting for ONNX Runtime, in ms. */
  readonly waitedMs: number;
}

export interface Question {
  readonly modelPath: string;
  readonly slices: number;
}

export interface Answer {
  /** How the case ended, or what was thrown. */
  readonly end: CaseEnd | { readonly thrown: string };
  /** Time without that of ONNX Runtime, in ms. */
  readonly ownMs: number;
  /** The most memory that the process had during the case, in MB (2^20 bytes). */
  readonly peakMb: number;
  /** Memory that the process keeps after the case, in MB. */
  readonly restingMb: number;
}

/** What `--target` names exports this. */
export interface Target {
  runCase(modelPath: string, slices: number): CaseEnd;
}

const KIB_PER_MB = 1024;

function answer(target: Target, { modelPath, slices }: Question): Answer {
  resetPeak();
  const start = performance.now();
  let end: Answer['end'];
  try {
    end = target.runCase(modelPath, slices);
  } catch (error) {
    end = { thrown: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  const ownMs = performance.now() - start - ('waitedMs' in end ? end.waitedMs : 0);
  const peakMb = memoryPeakMb();
  return { end, ownMs, peakMb, restingMb: process.memoryUsage.rss() / 2 ** 20 };
}

/** Linux forgets the peak on demand (`man proc_pid_clear_refs`); elsewhere it is that of the process's whole life. */
function resetPeak(): void {
  try {
    fs.writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // No Linux, or a container that forbids it: the watcher asks again in a fresh process before it complains.
  }
}

function memoryPeakMb(): number {
  try {
    const peak = /VmHWM:\s*(\d+) kB/.exec(fs.readFileSync('/proc/self/status', 'latin1'));
    if (peak !== null) return Number(peak[1]) / KIB_PER_MB;
  } catch {
    // No Linux: the next line knows less, but something.
  }
  return process.resourceUsage().maxRSS / KIB_PER_MB;
}

if (require.main === module) {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- its path is an argument
  const target = require(process.argv[2]) as Target;
  process.on('message', (question: Question) => process.send?.(answer(target, question)));
  process.on('disconnect', () => process.exit());
}
