/** Whether what was written at a time is sure to be on the disk. */
import * as os from 'node:os';

/**
 * Nothing here is forced to the disk, which would cost as much as writing it. What was written before the machine started
 * may have been lost with its power: the names are there, the bytes perhaps not.
 *
 * @param writtenAt in milliseconds since 1970
 */
export function isSinceBoot(writtenAt: number): boolean {
  return writtenAt >= Date.now() - os.uptime() * 1000;
}
