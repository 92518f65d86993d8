/** Required before a program (`node --require`): notes the peak of the process's memory when it ends. */
import * as fs from 'node:fs';

process.on('exit', () => {
  const { BENCH_PEAKS: file } = process.env;
  if (file !== undefined) fs.appendFileSync(file, `${process.resourceUsage().maxRSS}\n`);
});
