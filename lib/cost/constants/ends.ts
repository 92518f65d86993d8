/** The environment where runs are fastest and where they are slowest: its believed and fitted constants at the ends of their spread. */
import type { Constant, Pairs } from './constant';
import { type Environment, DEFAULT_ENVIRONMENT, ENVIRONMENT } from './defaults';

export type End = 'fast' | 'slow';

type Groups = Readonly<Record<string, Readonly<Record<string, number | Pairs>>>>;
type Table = Readonly<Record<string, Readonly<Record<string, Constant>>>>;

/** A constant that a user replaced is taken to be exact. */
export function environmentAt(environment: Environment, end: End): Environment {
  const [given, defaults, table] = [{ ...environment }, { ...DEFAULT_ENVIRONMENT }, { ...ENVIRONMENT }];
  const groups = Object.entries(given as Groups).map(([group, constants]) => [
    group,
    Object.fromEntries(
      Object.entries(constants).map(([name, value]) => {
        const { spread } = (table as Table)[group][name];
        const isOurs = JSON.stringify(value) === JSON.stringify((defaults as Groups)[group][name]);
        return [
          name,
          spread === undefined || !isOurs ? value : scaled(value, spread[end === 'fast' ? 0 : 1]),
        ];
      }),
    ),
  ]);
  return Object.fromEntries(groups) as Environment;
}

function scaled(value: number | Pairs, factor: number): number | Pairs {
  return typeof value === 'number' ? value * factor : value.map(([at, own]) => [at, own * factor] as const);
}
