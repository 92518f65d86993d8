/** Speeds and delays of AWS and of a slice's function, each with its source and date. A file can replace any of them. */
import { type ConstantsIn, type ValuesOf, valuesOf } from './constant';
import environment from './environment.json';

export const ENVIRONMENT = environment as unknown as ConstantsIn<typeof environment>;

/** Speeds and delays by group and name. */
export type Environment = ValuesOf<typeof ENVIRONMENT>;

export const DEFAULT_ENVIRONMENT: Environment = valuesOf(ENVIRONMENT);
