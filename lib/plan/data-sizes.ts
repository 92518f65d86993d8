/** How a plan knows sizes and iterations that depend on data, and what users should know of them: sentences without a full stop. */

export interface PlannedDataSizes {
  /** On which inputs the model ran once, in words. */
  readonly inputs: string;
  /** Whether these inputs are generated ones instead of the user's. */
  readonly isGenerated: boolean;
  /** Why the model did not run, so that the plan has estimates. */
  readonly failure?: string;
}

const DEPENDENT = 'sizes of tensors or iterations of loops depend on data';

/** @returns the next step too, if the model ran on generated inputs */
export function dataSizesNote({ inputs, isGenerated, failure }: PlannedDataSizes): string {
  if (failure !== undefined)
    return `this plan is a guess: run \`sliced-inference profile\` on inputs of your own and plan with the profile, because ${DEPENDENT} and the model did not run on ${inputs}: ${failure}`;
  const advice = isGenerated ? '; if those of your requests differ, plan with --inputs or a profile' : '';
  return `${DEPENDENT}, and the plan has those of a run on ${inputs}${advice}`;
}
