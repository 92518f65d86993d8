/** Writes the page of `--report`: the built page with a report in it. */
import * as fs from 'node:fs';
import { unicodeEscape } from '../terminal/escape';
import { builtFile } from '../../lib/host/packages';
import { writeNamedFile } from '../outputs/named-file';
import type { PlanReport } from './plan-report';

export const PAGE_FLAG = '--report';

/** The place of the report in the built page; `scripts/plan-page.mjs` leaves it. */
const PLACE = '%REPORT%';

/** Writes the page, or replaces it as a whole. @throws SlicedInferenceError if the file cannot be written */
export async function writePage(file: string, report: PlanReport): Promise<void> {
  const shell = fs.readFileSync(builtFile('bundle/plan-page.html'), 'utf8');
  await writeNamedFile(file, PAGE_FLAG, pageWith(shell, report));
}

/** The page with a report in it. Only the page's own script reads the report, as JSON. */
export function pageWith(shell: string, report: PlanReport): string {
  const [before, after] = shell.split(PLACE);
  return `${before}${embeddable(report)}${after}`;
}

/** JSON inside an HTML element: no `<` means that neither a name nor a path can end the element. */
function embeddable(report: PlanReport): string {
  return JSON.stringify(report).replaceAll(/[<>&\u2028\u2029]/g, unicodeEscape);
}
