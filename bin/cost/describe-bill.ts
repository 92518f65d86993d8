/** The bill of real runs as text. */
import type { BilledRuns, RunBill } from '../../lib/cost/bill';
import { ITEM_NAMES, LINE_ITEMS, sumOfItems } from '../../lib/cost/step';
import { printable } from '../../lib/errors';
import type { CollectedLogs } from '../logs/collect';
import { formatTable } from '../terminal/format';

/** Runs that a terminal shows. */
const MOST_RUNS = 20;

export function describeBill(bill: BilledRuns, collected: CollectedLogs): string {
  const { runs, slices, items, dollars } = bill;
  const perRun = runs.length === 0 ? 0 : runs.reduce((sum, run) => sum + run.dollars, 0) / runs.length;
  const counts = (own: { ran: number; warmUps: number; failed: number }): number[] => [
    own.ran,
    own.warmUps,
    own.failed,
  ];
  const shown = [...runs].sort((a, b) => b.dollars - a.dollars).slice(0, MOST_RUNS);
  return [
    `${runs.length} runs cost ${money(dollars)}: ${money(perRun)} a run, ${money(perRun * 1e6, 2)} a million runs`,
    '',
    formatTable(
      ['slice', 'calls', 'warm-ups', 'failed', 'billed s', 'GB-s', 'dollars'],
      slices.map((own) => [
        own.slice === -1 ? 'unknown' : String(own.slice),
        ...counts(own),
        own.seconds.toFixed(1),
        own.gbSeconds.toFixed(2),
        money(own.dollars),
      ]),
    ),
    '',
    formatTable(
      ['item', 'dollars', 'share'],
      LINE_ITEMS.filter((item) => items[item] > 0).map((item) => [
        ITEM_NAMES[item],
        money(items[item]),
        `${((100 * items[item]) / sumOfItems(items)).toFixed(1)} %`,
      ]),
    ),
    '',
    runs.length > shown.length
      ? `the ${shown.length} most expensive runs:`
      : 'runs, the most expensive first:',
    formatTable(
      ['run', 'calls', 'warm-ups', 'failed', 's', 'dollars'],
      shown.map((run) => [nameOf(run), ...counts(run), (run.ms / 1000).toFixed(2), money(run.dollars)]),
    ),
    ...notes(bill, collected),
    '',
  ].join('\n');
}

function notes({ withoutReport, other }: BilledRuns, collected: CollectedLogs): string[] {
  const { refused, reason = '' } = collected;
  return [
    other.calls > 0 &&
      `${other.calls} calls have no line of a slice: ${money(other.dollars)} for calls that Lambda ended (memory, timeout) or for other functions`,
    withoutReport > 0 && `${withoutReport} calls have no REPORT line: their durations are not included`,
    refused > 0 && `${refused} lines refused, the first because ${printable(reason)}`,
  ].flatMap((note) => (note === false ? [] : [`note: ${note}`]));
}

/** The execution, which is what the console shows, or else the run. */
function nameOf({ run, executionArn }: RunBill): string {
  return printable(executionArn?.split(':').slice(6).join(':') ?? run, 90);
}

function money(dollars: number, digits = 8): string {
  return `$${dollars.toFixed(digits)}`;
}
