/** What became of a batch, for people and as JSON. */
import type { BatchOutput } from '../../contract/batch';
import type { ItemCounts } from '../../client/batch/progress';
import { printable } from '../../lib/errors';
import { grouped, quantityText } from '../plan/figures';
import { formatTable } from '../terminal/format';
import type { Downloaded } from './download';

/** What `--json` prints. */
export interface Account {
  readonly executionArn: string;
  /** Of the execution, as Step Functions has it. */
  readonly status: string;
  /** Of a batch that has no output, items that were skipped count as done. */
  readonly items: BatchOutput['items'] | Omit<ItemCounts, 'running'>;
  readonly failures?: BatchOutput['failures'];
  readonly seconds: number;
  /** Modelled; absent if the batch has no output. */
  readonly dollars?: number;
  /** `s3://bucket/key`. */
  readonly table?: string;
  readonly out?: Downloaded;
  /** Why the execution failed. */
  readonly error?: { readonly name: string; readonly message: string };
}

export function accountText({ items, failures = [], seconds, dollars, table, out }: Account): string {
  const counts = Object.entries(items).filter(([name]) => name !== 'total');
  const ended = counts.map(([name, count]) => `${grouped(count, 0)} ${name}`).join(', ');
  const lines = [`${grouped(items.total, 0)} items in ${quantityText('seconds', seconds)}: ${ended}`];
  if (failures.length > 0) {
    const rows = failures.map(({ count, error, message, item }) => {
      return [count, printable(error, 40), printable(message, 100), printable(item, 60)];
    });
    lines.push('', formatTable(['failed', 'error', 'message', 'such as'], rows), '');
  }
  if (dollars !== undefined) {
    const without = 'without uploads, loading, failed calls and storage';
    lines.push(`price: ${quantityText('dollars', dollars)}, modelled by list prices, ${without}`);
  }
  if (table !== undefined) lines.push(`table: ${table}`);
  if (out !== undefined) {
    const { folder, files, skipped } = out;
    lines.push(`written to ${folder}: table.jsonl and ${files} results, of which ${skipped} were there`);
  }
  return `${lines.join('\n')}\n`;
}
