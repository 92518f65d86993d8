/** What became of a batch, for people and as JSON. */
import type { BatchOutput } from '../../contract/batch';
import type { ItemCounts } from '../../client/batch/progress';
import { DEFAULT_ENVIRONMENT, DEFAULT_PRICES } from '../../lib/cost/constants/defaults';
import { batchBill } from '../../lib/cost/batch-bill';
import type { Architecture } from '../../lib/cost/formulas/lambda';
import { ITEM_NAMES, LINE_ITEMS, sumOfItems, type LineItems } from '../../lib/cost/step';
import { printable } from '../../lib/errors';
import { grouped, quantityText } from '../plan/figures';
import { formatTable } from '../terminal/format';
import type { Downloaded } from './download';

/** What `--json` prints. */
export interface Account {
  readonly executionArn: string;
  /** Of the execution, as Step Functions has it. */
  readonly status: string;
  /** Of a batch that did not succeed, a child execution counts as a whole, and items that were skipped as done. */
  readonly items: Omit<BatchOutput['items'], 'skipped'> & {
    readonly skipped?: number;
    readonly pending?: number;
  };
  readonly failures?: BatchOutput['failures'];
  readonly seconds: number;
  /** Modelled; absent if the batch has no output. */
  readonly dollars?: number;
  readonly costItems?: LineItems;
  /** `s3://bucket/key`. */
  readonly table?: string;
  readonly out?: Downloaded & { readonly folder: string };
  /** Why the execution failed. */
  readonly error?: { readonly name: string; readonly message: string };
}

export function accountOf(
  output: BatchOutput,
  run: Pick<Account, 'executionArn' | 'status' | 'seconds'> & { readonly children: number },
  architecture: Architecture,
): Account {
  const { items, failures, table } = output;
  const { children, ...about } = run;
  const settings = { prices: DEFAULT_PRICES, environment: DEFAULT_ENVIRONMENT };
  const costItems = batchBill(output, { children, architecture, ...settings });
  const dollars = sumOfItems(costItems);
  return { ...about, items, failures, dollars, costItems, table: `s3://${table.bucket}/${table.key}` };
}

export function unfinishedItems({ total, done, failed, running, pending }: ItemCounts): Account['items'] {
  return { total, done, failed, pending: running + pending };
}

export function accountText({
  items,
  failures = [],
  seconds,
  dollars,
  costItems,
  table,
  out,
}: Account): string {
  const counts = Object.entries(items).filter(([name]) => name !== 'total');
  const ended = counts.map(([name, count]) => `${grouped(count, 0)} ${name}`).join(', ');
  const lines = [`${grouped(items.total, 0)} items in ${quantityText('seconds', seconds)}: ${ended}`];
  if (failures.length > 0) {
    const rows = failures.map(({ count, error, message, item }) => [
      count,
      printable(error, 40),
      printable(message, 100),
      printable(item, 60),
    ]);
    lines.push('', formatTable(['failed', 'error', 'message', 'such as'], rows), '');
  }
  if (costItems !== undefined) {
    const parts = LINE_ITEMS.filter((item) => costItems[item] > 0);
    const named = parts.map((item) => `${ITEM_NAMES[item]} ${quantityText('dollars', costItems[item])}`);
    const without = 'without loading, failed calls and storage';
    lines.push(
      `price: ${quantityText('dollars', dollars)}, modelled by list prices, ${without} (${named.join(', ')})`,
    );
  }
  if (table !== undefined) lines.push(`table: ${table}`);
  if (out !== undefined) {
    lines.push(
      `written to ${out.folder}: table.jsonl and ${out.files} results, of which ${out.skipped} were there`,
    );
  }
  return `${lines.join('\n')}\n`;
}
