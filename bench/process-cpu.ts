/** Processor time of a running process with all of its threads. Linux only. */
import * as fs from 'node:fs';

/** `/proc` counts in hundredths of a second, on every architecture: USER_HZ in https://man7.org/linux/man-pages/man7/time.7.html */
const TICK_MS = 10;

/** Positions of `utime` and `stime` after the name, which is in parentheses: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
const UTIME = 11;
const STIME = 12;

export function processCpuMs(pid: number): number {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return TICK_MS * (Number(fields[UTIME]) + Number(fields[STIME]));
}
