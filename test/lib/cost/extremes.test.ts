/** Every constant at both ends of its range: whatever a file holds, figures are numbers. */
import {
  type Constant,
  type ConstantTable,
  UNITS,
  mapped,
  valuesOf,
} from '../../../lib/cost/constants/constant';
import { ENVIRONMENT, PRICES, environmentOf } from '../../../lib/cost/constants/defaults';
import type { CostOptions } from '../../../lib/cost/options';
import { BERT, exampleOf } from '../../support/cost-tables';

/** Each figure has all constants with two slices too, and takes a fraction of the time. */
const SIZES = { ...BERT, slices: 2 };

type End = 0 | 1;

const names = (table: ConstantTable): string[] =>
  Object.entries(table).flatMap(([group, constants]) =>
    Object.keys(constants).map((name) => `${group}.${name}`),
  );

/** The table with one constant at an end of its range. */
function withExtreme<T extends ConstantTable>(table: T, extreme: string, end: End): T {
  return mapped(table, (constant, group, name) =>
    `${group}.${name}` === extreme ? { ...constant, value: extremeOf(constant, end) } : constant,
  ) as unknown as T;
}

function extremeOf({ unit }: Constant, end: End): Constant['value'] {
  const limits = UNITS[unit];
  return 'pairs' in limits ? [[limits.pairs[0][end], limits.pairs[1][end]]] : limits.range[end];
}

function figures(options: CostOptions): number[] {
  const { warm, cold, comparison } = exampleOf(SIZES, { ...options, requestsPerHour: 5 }, 's3-express');
  const offers = comparison.alternatives.map((own) => own.at(100));
  return [
    ...[warm, cold].flatMap(({ dollars, latency }) => [dollars, latency.p50, latency.p95]),
    ...offers.flatMap((own) =>
      [own.warm, own.cold].flatMap(({ dollars = 0, time }) => [
        dollars,
        time.quantile(0.5),
        time.quantile(0.95),
      ]),
    ),
    ...offers.map(({ dollarsPerMonth }) => dollarsPerMonth),
  ];
}

it.each([...names(PRICES), ...names(ENVIRONMENT)])(
  'the least and the greatest value of %s leave all figures finite, at zero or above',
  (name) => {
    for (const end of [0, 1] as const) {
      const [prices, environment] = [withExtreme(PRICES, name, end), withExtreme(ENVIRONMENT, name, end)];
      const own = figures({ prices: valuesOf(prices), environment: environmentOf(environment) });
      expect(own.filter((figure) => !Number.isFinite(figure) || figure < 0)).toEqual([]);
    }
  },
);
