/** Where the check finds the repository: it runs from `dist/scripts/check-deploy`. */
import * as path from 'node:path';

export const ROOT = path.resolve(__dirname, '../../..');

/** The check's own files that are not compiled. */
export const SOURCES = path.join(ROOT, 'scripts/check-deploy');
