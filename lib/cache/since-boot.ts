/** Decides whether a cached file can have been lost when the machine lost power. */
import * as os from 'node:os';

/**
 * Whether a file was written after the machine started. The cache never calls `fsync`, which would take as long as the
 * writing. So a file from before the start may have its name but not its bytes, if the machine lost power.
 *
 * @param writtenAt in milliseconds since 1970
 */
export function isSinceBoot(writtenAt: number): boolean {
  return writtenAt >= Date.now() - os.uptime() * 1000;
}
