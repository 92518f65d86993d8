/** Estimates constants of the environment from telemetry of real runs. docs/costs.md describes each estimate. */
import { type ConstantTable, type Pairs, type Unit, UNITS } from '../constants/constant';
import { DEFAULT_ENVIRONMENT, ENVIRONMENT } from '../constants/defaults';
import { type CalibrationOptions, estimatesOf } from './estimates';
import type { Samples } from './samples';

export interface CalibratedConstant {
  readonly name: string;
  readonly unit: Unit;
  readonly before: number | Pairs;
  /** `null` if the default was kept. */
  readonly after: number | Pairs | null;
  readonly samples: number;
  readonly missing?: string;
}

export interface Calibration {
  /** Only the constants that are replaced, as `printConstants` takes them. */
  readonly table: ConstantTable;
  readonly constants: readonly CalibratedConstant[];
}

export function calibrate(samples: Samples, options: CalibrationOptions): Calibration {
  const table: Record<string, Record<string, ConstantTable[string][string]>> = {};
  const constants = estimatesOf(samples, options, DEFAULT_ENVIRONMENT).map((estimate): CalibratedConstant => {
    const { group, constant } = estimate;
    const known = (ENVIRONMENT as ConstantTable)[group][constant];
    const after = estimate.value === undefined ? null : rounded(estimate.value, known.unit);
    if (after !== null) {
      (table[group] ??= {})[constant] = {
        ...{ value: after, unit: known.unit, known: 'replaced' },
        source: `calibrated from ${estimate.samples} samples of ${options.name}, ${datesOf(samples)}`,
        date: monthOf(samples),
      };
    }
    return {
      name: `${group}.${constant}`,
      unit: known.unit,
      before: known.value,
      after,
      samples: estimate.samples,
      ...(estimate.missing !== undefined && { missing: estimate.missing }),
    };
  });
  return { table, constants };
}

function rounded(value: number | Pairs, unit: Unit): number | Pairs {
  const known = UNITS[unit];
  const [least, most] = 'range' in known ? known.range : known.pairs[1];
  const within = (number: number): number => Math.min(most, Math.max(least, Number(number.toPrecision(4))));
  if (typeof value === 'number') return within(value);
  let before: number = least;
  return value.map(([percent, ms]) => {
    before = Math.max(before, within(ms));
    return [percent, before] as const;
  });
}

function datesOf({ calls }: Samples): string {
  const days = calls.map(({ startedAt }) => new Date(startedAt).toISOString().slice(0, 10)).sort();
  if (days.length === 0) return 'without dates';
  const [first, last] = [days[0], days[days.length - 1]];
  return first === last ? first : `${first} to ${last}`;
}

function monthOf({ calls }: Samples): string {
  const last = calls.reduce((latest, { startedAt }) => Math.max(latest, startedAt), 0);
  return last === 0 ? '' : new Date(last).toISOString().slice(0, 7);
}
