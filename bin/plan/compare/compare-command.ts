/** What `plan --compare` and `plan --with` do: plan both, compare them, and print the differences. */
import { SlicedInferenceError } from '../../../lib/errors';
import { clearProgress, showProgress } from '../../terminal/progress';
import { print, printJson } from '../../terminal/print';
import { textColumns } from '../describe-report';
import type { PlanOptions } from '../planned-model';
import { type ComparedInput, comparedPlans } from './compared-plan';
import { compared } from './comparison';
import { describeComparison } from './describe-comparison';
import { overlaid } from './second-flags';

interface Comparing {
  readonly first: ComparedInput & {
    readonly options: PlanOptions & { readonly report?: string; readonly json?: boolean };
  };
  /** What follows `--with`, as options and as the user wrote it. */
  readonly second: Partial<PlanOptions> | undefined;
  readonly flags: readonly string[];
  /** Path of the second model or plan file. */
  readonly other: string;
}

export function printComparison({ first, second, flags, other }: Comparing): void {
  const { options } = first;
  for (const flag of ['report', 'batch'] as const) {
    if (options[flag] === undefined) continue;
    throw new SlicedInferenceError(
      `--${flag} must be of one plan`,
      'a comparison of two plans',
      `leave it out, or plan each side alone with --${flag}`,
    );
  }
  const b = { path: other, options: second ? overlaid(options, second) : options, given: second ?? {} };
  const plans = comparedPlans([first, b]);
  showProgress('comparing the files of the slices');
  const comparison = compared(...plans);
  clearProgress();
  if (options.json) printJson(comparison);
  else print(describeComparison(comparison, flags, textColumns(process.stdout.columns)));
}
