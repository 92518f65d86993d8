/**
 * Loaded before a measured program, by `NODE_OPTIONS=--require`, and so by each Node.js process that it starts:
 * appends the peak of its resident memory to a file.
 */
import * as fs from 'node:fs';

const file = process.env.BENCH_PEAKS;
if (file !== undefined) {
  process.on('exit', () => {
    const script = process.argv[1] ?? 'node';
    // In kilobytes of 1024 bytes on every platform, Node.js says.
    fs.appendFileSync(file, `${JSON.stringify({ script, bytes: process.resourceUsage().maxRSS * 1024 })}\n`);
  });
}
