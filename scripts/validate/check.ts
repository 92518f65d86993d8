/** What all checks have in common. */
import type { SynthesizedCase } from './synthesize';

export interface Finding {
  /** Stack and resource, or the place in a definition. */
  readonly place: string;
  readonly message: string;
}

/** The findings of each case, in the order of the cases; or why the check cannot run here, and how to install what is missing. */
type Outcome = { readonly findings: readonly (readonly Finding[])[] } | { readonly skipped: string };

export interface Check {
  readonly name: string;
  readonly run: (cases: readonly SynthesizedCase[]) => Promise<Outcome>;
}

/** A check that always can run, and looks at one case at a time. */
export function checkOf(
  name: string,
  find: (subject: SynthesizedCase) => readonly Finding[] | Promise<readonly Finding[]>,
): Check {
  return {
    name,
    run: async (cases) => {
      const findings: (readonly Finding[])[] = [];
      for (const subject of cases) findings.push(await find(subject));
      return { findings };
    },
  };
}
