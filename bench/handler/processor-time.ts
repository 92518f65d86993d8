/** Processor time of the functions of a local cloud, which are child processes of this one. */
import * as fs from 'node:fs';

/** Of Linux on all processors that Node.js supports. */
const TICKS_PER_SECOND = 100;
/** Fields of `/proc/<pid>/stat` after the name, which may contain blanks. */
const [PARENT, USER, SYSTEM] = [1, 11, 12];

/** Milliseconds of all child processes that still run. */
export function functionsMs(): number {
  const processes = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const ticks = processes.map((pid) => {
    const fields = statOf(pid);
    return Number(fields[PARENT]) === process.pid ? Number(fields[USER]) + Number(fields[SYSTEM]) : 0;
  });
  return (ticks.reduce((sum, own) => sum + own, 0) * 1000) / TICKS_PER_SECOND;
}

/** Empty if the process has ended. */
function statOf(pid: string): string[] {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}
