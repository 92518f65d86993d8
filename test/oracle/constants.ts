/** The lists of prices and of measured constants, which are data: read as JSON, without the code that reads them in the product. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Percentiles } from './delays';

type Table = Readonly<Record<string, Readonly<Record<string, { readonly value: number | Percentiles }>>>>;

function table(file: string): Table {
  const folder = path.join(__dirname, '../../lib/cost/constants');
  return JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8')) as Table;
}

const [prices, environment] = [table('prices.json'), table('environment.json')];

const known = new Map<Table, Map<string, number | Percentiles>>(
  [prices, environment].map((own) => [own, new Map()]),
);

function found(from: Table, name: string): number | Percentiles {
  const before = known.get(from)?.get(name);
  if (before !== undefined) return before;
  const [group, own] = name.split('.');
  const constant = Object.hasOwn(from[group], own) ? from[group][own] : undefined;
  if (constant === undefined) throw new Error(`no constant ${name}`);
  known.get(from)?.set(name, constant.value);
  return constant.value;
}

function number(from: Table, name: string): number {
  const value = found(from, name);
  if (typeof value !== 'number') throw new Error(`${name} is no number`);
  return value;
}

/** Such as `price('s3.standardPuts')`, in the unit of the list. */
export const price = (name: string): number => number(prices, name);

export const constant = (name: string): number => number(environment, name);

export function pairs(name: string): Percentiles {
  const value = found(environment, name);
  if (typeof value === 'number') throw new Error(`${name} is no list`);
  return value;
}
