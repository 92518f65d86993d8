/** Reads a file of logs, whose size is checked before it is read. */
import * as fs from 'node:fs';
import { SlicedInferenceError, quoted } from '../../lib/errors';
import { unreadablePath } from '../../lib/host/foreign-path';
import { formatBytes } from '../terminal/format';
import { MAX_LOG_BYTES } from './limits';

/** @throws SlicedInferenceError of one line if the file cannot be read or is too large */
export function readLog(file: string): string {
  const must = `log ${quoted(file)} must be a readable file`;
  try {
    const stat = fs.statSync(file);
    if (!stat.isFile()) {
      const got = stat.isDirectory() ? 'a folder' : 'a pipe or a device';
      throw new SlicedInferenceError(must, got, 'pass the path of a file with logs');
    }
    if (stat.size > MAX_LOG_BYTES) {
      throw new SlicedInferenceError(
        `log ${quoted(file)} must have at most ${formatBytes(MAX_LOG_BYTES)}`,
        formatBytes(stat.size),
        'gather the logs of fewer days',
      );
    }
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof SlicedInferenceError) throw error;
    const { got, advice } = unreadablePath(file, error);
    throw new SlicedInferenceError(must, got, advice);
  }
}
