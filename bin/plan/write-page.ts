/** Writes the page of `--report`: the built page with a report in it. */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { SlicedInferenceError, quoted, systemReason } from '../../lib/errors';
import { builtFile } from '../../lib/host/package-files';
import { replaceFileAsync } from '../../lib/host/write-beside';
import { noteUnfinished } from '../process/unfinished';
import type { PlanReport } from './plan-report';

const FLAG = '--report';

/** The place of the report in the built page; `scripts/plan-page.mjs` leaves it. */
const PLACE = '%REPORT%';

/**
 * Checks the path of a page before the work that the page reports begins.
 *
 * @throws SlicedInferenceError if no file can have this path
 */
export function checkPagePath(file: string): void {
  if (file === '' || file === '-') {
    throw new SlicedInferenceError(
      `${FLAG} must name a file`,
      quoted(file),
      'pass a path such as report.html; --json prints to standard output',
    );
  }
  const folder = path.dirname(file);
  const found = fs.statSync(folder, { throwIfNoEntry: false });
  if (!found?.isDirectory()) {
    throw new SlicedInferenceError(
      `${FLAG} must name a file in a folder that exists`,
      `${found ? 'the file' : 'no folder'} ${quoted(folder)}`,
      'make the folder first, or check the path',
    );
  }
  if (fs.statSync(file, { throwIfNoEntry: false })?.isDirectory()) {
    throw new SlicedInferenceError(
      `${FLAG} must name a file`,
      `the folder ${quoted(file)}`,
      'pass a path such as report.html',
    );
  }
}

/**
 * Writes the page, or replaces it as a whole.
 *
 * @throws SlicedInferenceError if the file cannot be written
 */
export async function writePage(file: string, report: PlanReport): Promise<void> {
  const shell = fs.readFileSync(builtFile('bundle/plan-page.html'), 'utf8');
  const partial = `${file}.${randomBytes(6).toString('hex')}`;
  noteUnfinished({ partial: path.resolve(partial), parents: [] });
  try {
    await replaceFileAsync(file, Buffer.from(pageWith(shell, report)), partial);
  } catch (error) {
    throw new SlicedInferenceError(
      `${FLAG} must name a file that can be written`,
      `${quoted(file)}: ${systemReason(error)}`,
      'pass another path',
    );
  }
}

/** The page with a report in it. Only the page's own script reads the report, as JSON. */
export function pageWith(shell: string, report: PlanReport): string {
  const [before, after] = shell.split(PLACE);
  return `${before}${embeddable(report)}${after}`;
}

/** JSON inside an HTML element: no `<` means that neither a name nor a path can end the element. */
function embeddable(report: PlanReport): string {
  return JSON.stringify(report).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
