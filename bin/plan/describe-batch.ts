/** Describes the batch of a report in the terminal: its size, time, price by line, and quotas. */
import { formatTable } from '../terminal/format';
import { type QuantityKind, figureText, grouped, quantityText } from './figures';
import type { ReportedBatch } from './plan-report';

/**
 * Blocks of lines.
 *
 * @param wrapped breaks long lines
 */
export function describeBatch(
  batch: ReportedBatch,
  wrapped: (lines: readonly string[]) => string[],
): string[][] {
  const { items, children, itemsPerRun, childrenAtOnce, costs, quotas, ends } = batch;
  const count = (value: number): string => grouped(value);
  const usd = (value: number): string => quantityText('dollars', value);
  const used = (value: number): string => (value < 10 ? value.toPrecision(2) : count(value));
  const percentiles = (name: 'milliseconds' | 'dollars', kind: QuantityKind): string =>
    (['p50', 'p95'] as const)
      .map((own) => {
        const [fast, slow] = [ends.fast[name][own], ends.slow[name][own]];
        return `${own} ${figureText({ kind, value: batch[name][own], ends: { fast, slow } })}`;
      })
      .join(', ');
  return [
    wrapped([
      `batch: ${count(items)} items in ${count(children)} children of ${count(itemsPerRun)}, ${count(childrenAtOnce)} at once`,
      `time: ${percentiles('milliseconds', 'duration')}; ${used(batch.itemsPerSecond)} items a second`,
      `price: ${percentiles('dollars', 'dollars')}`,
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
