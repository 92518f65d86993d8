/** Describes the batch of a report in the terminal: its size, time, price by line, and quotas. */
import { formatTable } from '../terminal/format';
import { type Unit, grouped, quantityText, withUnit } from './figures';
import type { ReportedBatch } from './plan-report';

/** Units of milliseconds: a batch may take days. */
const DURATION_UNITS: readonly Unit[] = [
  { name: 'h', size: 3_600_000 },
  { name: 'min', size: 60_000 },
  { name: 's', size: 1_000 },
];

/**
 * Blocks of lines.
 *
 * @param wrapped breaks long lines
 */
export function describeBatch(
  batch: ReportedBatch,
  wrapped: (lines: readonly string[]) => string[],
): string[][] {
  const { items, children, itemsPerRun, childrenAtOnce, milliseconds, dollars, costs, quotas } = batch;
  const count = (value: number): string => grouped(value);
  const usd = (value: number): string => quantityText('dollars', value);
  const used = (value: number): string => (value < 10 ? value.toPrecision(2) : count(value));
  return [
    wrapped([
      `batch: ${count(items)} items in ${count(children)} children of ${count(itemsPerRun)}, ${count(childrenAtOnce)} at once`,
      `time: ${withUnit(milliseconds.p50, DURATION_UNITS)} (p50), ${withUnit(milliseconds.p95, DURATION_UNITS)} (p95); ${used(batch.itemsPerSecond)} items a second`,
      `price: ${usd(dollars.p50)} (p50), ${usd(dollars.p95)} (p95)`,
    ]),
    [
      formatTable(
        ['price by line', 'dollars'],
        costs.map((cost) => [cost.item, usd(cost.dollars)]),
      ),
    ],
    [
      formatTable(
        ['quota', 'batch', 'limit'],
        quotas.map((own) => [own.quota, used(own.used), count(own.limit)]),
      ),
    ],
    wrapped(batch.warnings.map((warning) => `warning: ${warning}`)),
  ];
}
