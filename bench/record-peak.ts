/**
 * Loaded before a measured program, by `NODE_OPTIONS=--require`, and so by each Node.js process that it starts:
 * appends the peak of its resident memory to a file.
 */
import * as fs from 'node:fs';

const file = process.env.BENCH_PEAKS;
if (file !== undefined) {
  process.on('exit', () => {
    const script = process.argv[1] ?? 'node';
    fs.appendFileSync(file, `${JSON.stringify({ script, bytes: peakBytes() })}\n`);
  });
}

/** Linux carries the peak of `getrusage` over from the process that started this one; its `VmHWM` it does not. */
function peakBytes(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024;
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(fs.readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
