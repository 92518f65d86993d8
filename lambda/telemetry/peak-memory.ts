import { readFileSync } from 'node:fs';

/**
 * Peak resident memory of this process so far, in bytes. On Linux this is the kernel's high-water mark `VmHWM`, because
 * `resourceUsage().maxRSS` survives `exec` there and so includes the process that started this one.
 */
export function peakMemoryBytes(): number {
  return (linuxPeakKilobytes() ?? process.resourceUsage().maxRSS) * 1024;
}

function linuxPeakKilobytes(): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'));
  return found === null ? undefined : Number(found[1]);
}
