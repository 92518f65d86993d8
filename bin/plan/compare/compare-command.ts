/** What `plan --compare` and `plan --with` do: plan both, compare them, and print the differences. */
import { SlicedInferenceError } from '../../../lib/errors';
import { print, printJson } from '../../terminal/print';
import { clearProgress } from '../../terminal/progress';
import { textColumns } from '../describe-report';
import type { PlanOptions } from '../planned-model';
import { type ComparedInput, comparedPlan } from './compared-plan';
import { compared } from './comparison';
import { describeComparison } from './describe-comparison';

export function printComparison(
  a: ComparedInput,
  b: ComparedInput,
  { report, batch, json }: PlanOptions,
): void {
  if (report !== undefined || batch !== undefined) {
    const flag = report === undefined ? '--batch' : '--report';
    const advice = `leave it out, or plan each side alone with ${flag}`;
    throw new SlicedInferenceError(`${flag} must be of one plan`, 'a comparison of two plans', advice);
  }
  const comparison = compared(comparedPlan(a), comparedPlan(b));
  clearProgress();
  if (json) printJson(comparison);
  else print(describeComparison(comparison, textColumns(process.stdout.columns)));
}
