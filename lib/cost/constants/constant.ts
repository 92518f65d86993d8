/** The form of a constant of the model of cost and latency: a value with its unit, its source and its date. */

/** Pairs whose first numbers rise and whose second numbers do not fall, such as `[[50, 27], [99, 106]]`. */
export type Pairs = readonly (readonly [number, number])[];

/** By what a value, or the second numbers of its pairs, is multiplied where a run is fastest and where it is slowest. */
export type Spread = readonly [fast: number, slow: number];

/** By group and name. A constant without one is taken to be exact. */
export type Spreads = Readonly<Record<string, Readonly<Record<string, Spread | undefined>> | undefined>>;

export const KNOWN = [
  'documented',
  'measured elsewhere',
  'measured here',
  'fitted',
  'believed',
  'replaced',
] as const;
export type Known = (typeof KNOWN)[number];

export interface Constant<T extends number | Pairs = number | Pairs> {
  readonly meaning?: string;
  readonly value: T;
  readonly unit: Unit;
  readonly known: Known;
  /** A link, or the name of a public data set. */
  readonly source: string;
  /** @default - the value is taken to be exact; what is believed or fitted has a spread */
  readonly spread?: Spread | undefined;
  /** When the source was read, or when the value was measured: a year and a month. */
  readonly date: string;
}

export type ConstantTable = Readonly<Record<string, Readonly<Record<string, Constant>>>>;

/** The values of a group: numbers, and lists of pairs. */
export type Values<Numbers extends string, Lists extends string = never> = Readonly<
  Record<Numbers, number> & Record<Lists, Pairs>
>;

export type TableOf<T extends object> = {
  readonly [Group in keyof T]: {
    readonly [Name in keyof T[Group]]: Constant<T[Group][Name] extends number ? number : Pairs>;
  };
};

export type NamesOf<T extends object> = {
  readonly [Group in keyof T]: { readonly [Name in keyof T[Group]]: object };
};

export type ValuesOf<T extends ConstantTable> = {
  readonly [Group in keyof T]: {
    readonly [Name in keyof T[Group]]: T[Group][Name]['value'];
  };
};

/** From the least to the greatest value that is not absurd. */
export type Range = readonly [number, number];

const pairs = (firsts: Range, seconds: Range) => ({ pairs: [firsts, seconds] }) as const;

/**
 * By unit: the range of its values. MB are 10^6 bytes, except those of a function's memory and `/tmp`, which AWS counts in
 * MiB; GB of a price are 2^30 bytes. `pairs` has the ranges of both numbers of a pair.
 */
export const UNITS = {
  'USD/GB-s': { range: [0, 1] },
  'USD/GB': { range: [0, 100] },
  'USD/GB-month': { range: [0, 1000] },
  'USD/GB-h': { range: [0, 100] },
  'USD/vCPU-h': { range: [0, 100] },
  'USD/h': { range: [0, 10_000] },
  'USD/million': { range: [0, 100_000] },
  ms: { range: [0, 600_000] },
  s: { range: [0, 1_000_000] },
  'ms/MB': { range: [0, 10_000] },
  MB: { range: [1, 1_000_000] },
  MiB: { range: [0.001, 1_000_000] },
  'MB/s': { range: [0.001, 1_000_000] },
  'MiB/s': { range: [0.001, 1_000_000] },
  bytes: { range: [0, 1_000_000_000] },
  'MB/vCPU': { range: [1, 1_000_000] },
  count: { range: [0, 10_000] },
  share: { range: [0, 1] },
  ratio: { range: [0.001, 1000] },
  // The convolution of much longer delays would take seconds.
  'ms by percent': pairs([0, 100], [0, 10_000]),
  'vCPU by MB': pairs([1, 1_000_000], [1, 1024]),
} as const satisfies Readonly<
  Record<string, { readonly range: Range } | { readonly pairs: readonly Range[] }>
>;

export type Unit = keyof typeof UNITS;

export function valuesOf<T extends ConstantTable>(table: T): ValuesOf<T> {
  return mapped(table, ({ value }) => value) as ValuesOf<T>;
}

export function spreadsOf(table: ConstantTable): Spreads {
  return mapped(table, ({ spread }) => spread);
}

export function scaled(value: number | Pairs, factor: number): number | Pairs {
  return typeof value === 'number' ? value * factor : value.map(([at, own]) => [at, own * factor] as const);
}

export function mapped<T, R>(
  table: Readonly<Record<string, Readonly<Record<string, T>>>>,
  replace: (constant: T, group: string, name: string) => R,
): Record<string, Record<string, R>> {
  return Object.fromEntries(
    Object.entries(table).map(([group, constants]) => [
      group,
      Object.fromEntries(
        Object.entries(constants).map(([name, constant]) => [name, replace(constant, group, name)]),
      ),
    ]),
  );
}
