/**
 * Appends the peak of the process's resident memory to a file on exit. `NODE_OPTIONS=--require` loads this script in a
 * measured program and in each Node.js process that the program starts.
 */
import * as fs from 'node:fs';

const file = process.env.BENCH_PEAKS;
if (file !== undefined) {
  process.on('exit', () => {
    const script = process.argv[1] ?? 'node';
    fs.appendFileSync(file, `${JSON.stringify({ script, bytes: peakBytes() })}\n`);
  });
}

/** On Linux, the peak of `getrusage` includes the process that started this one; `VmHWM` does not. */
function peakBytes(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024;
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(fs.readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
