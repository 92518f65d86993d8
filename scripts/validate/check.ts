/** What all checks have in common. */
import type { SynthesizedCase } from './synthesize';

export interface Finding {
  /** Stack and resource, or the place in a definition. */
  readonly place: string;
  readonly message: string;
}

export interface Check {
  readonly name: string;
  readonly find: (subject: SynthesizedCase) => readonly Finding[] | Promise<readonly Finding[]>;
}
