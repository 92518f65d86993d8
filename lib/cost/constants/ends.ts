/** The environment where runs are fastest and where they are slowest: its constants at the ends of their spread. */
import { mapped, scaled } from './constant';
import type { Environment } from './defaults';

export type End = 'fast' | 'slow';

/** @returns an environment that is exact */
export function environmentAt({ spreads, ...values }: Environment, end: End): Environment {
  const at = end === 'fast' ? 0 : 1;
  const groups = mapped({ ...values }, (value, group, name) =>
    scaled(value, spreads[group]?.[name]?.[at] ?? 1),
  );
  return { ...(groups as unknown as typeof values), spreads: {} };
}
