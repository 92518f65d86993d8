/** List prices of us-east-1, each with its source and date. A file can replace any of them. */
import { type ConstantsIn, type ValuesOf, valuesOf } from './constant';
import prices from './prices.json';

export const PRICES = prices as unknown as ConstantsIn<typeof prices>;

/** Prices by group and name, in US dollars. */
export type Prices = ValuesOf<typeof PRICES>;

export const DEFAULT_PRICES: Prices = valuesOf(PRICES);
