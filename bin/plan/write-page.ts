/** Writes the page of `--report`. */
import { writeNamedFile } from '../outputs/named-file';
import { pageOf } from './page/page';
import type { PlanReport } from './plan-report';

export const PAGE_FLAG = '--report';

/** Writes the page, or replaces it as a whole. @throws SlicedInferenceError if the file cannot be written */
export async function writePage(file: string, report: PlanReport): Promise<void> {
  await writeNamedFile(file, PAGE_FLAG, pageOf(report));
}
