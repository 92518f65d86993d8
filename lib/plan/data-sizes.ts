/** What users should know of sizes and iterations that depend on data: a sentence without a full stop. */
import type { DataSource } from '../shapes/data-source';

const DEPENDENT = 'sizes of tensors or iterations of loops may depend on data';

export function dataSizesNote({ inputs, isGenerated, failure }: DataSource): string {
  if (failure !== undefined)
    return `this plan is a guess: run \`sliced-inference profile\` on inputs of your own and plan with the profile, because ${DEPENDENT} and the model did not run on ${inputs}: ${failure}`;
  const advice = isGenerated ? '; if those of your requests differ, plan with --inputs or a profile' : '';
  return `${DEPENDENT}, and the plan uses those of a run on ${inputs}${advice}`;
}

export const NOT_PACKED =
  'functions do not prepack weights, because nearly every run is cold at this rate of requests or --prepacking says so';
