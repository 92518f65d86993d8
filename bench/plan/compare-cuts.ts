/** How good the cuts of a fixed number of slices are, compared with simple ways to cut. */
import type { AnalyzedModel } from '../../lib/compile/analyze';
import { mostSlices } from '../../lib/plan/cuts/cuts';
import { count } from '../../lib/plan/search/slicers';
import type { Groups } from '../../lib/plan/wiring/groups';
import { cutsWithin } from './every-cut';
import type { PricedCut } from './price-cut';
import { pricedCut, pricedGroups } from './price-cut';
import { StreamedTable, print } from './streamed-table';
import type { Subject } from './subjects';

const MOST_SLICES = 8;
const KB = 1000;

/** Prices whose sums were made in another order differ by less, as a share. */
const ROUNDING = 1e-9;

const WAYS = ['equal', 'greedy'] as const;

/** What a simple way to cut moves and costs at least, with and without repeated nodes. */
interface Baseline {
  readonly movedBytes: number;
  readonly dollars: number;
}

/** Ratios below 1 are better than the baseline. */
interface Ratios {
  readonly bytes: number;
  readonly dollars: number;
}

export function compareCuts(subjects: Iterable<Subject>): void {
  const table = new StreamedTable(
    'bytes moved and dollars of count(2) to count(8), as ratios to the baselines: median (lowest-highest)',
    [
      { name: 'model', width: 34 },
      { name: 'nodes', width: 5 },
      { name: 'slices', width: 6 },
      ...WAYS.flatMap((way) => [
        { name: `bytes/${way}`, width: 19 },
        { name: `cost/${way}`, width: 19 },
      ]),
    ],
  );
  const worse: string[] = [];
  const listed: (readonly string[])[] = [];
  let pairs = 0;
  for (const { name, analyzed } of subjects) {
    const most = Math.min(MOST_SLICES, mostSlices(analyzed.cuts));
    const ratios: Ratios[][] = [];
    for (let slices = 2; slices <= most; slices++) {
      const own = pricedCut(analyzed, count(slices));
      const baselines = baselinesOf(analyzed, slices);
      const compared = baselines.map(({ movedBytes, dollars }) => ({
        bytes: own.movedBytes / movedBytes,
        dollars: own.cost.dollars / dollars,
      }));
      pairs += compared.length;
      ratios.push(compared);
      if (compared.some(isWorse)) worse.push(described(name, slices, analyzed, compared, baselines));
      if ([3, 4, 8].includes(slices)) listed.push(cells(name, slices, own));
    }
    table.row([
      name,
      analyzed.dataflow.order.length,
      `2-${most}`,
      ...WAYS.flatMap((_, way) => [
        range(ratios.map((each) => each[way].bytes)),
        range(ratios.map((each) => each[way].dollars)),
      ]),
    ]);
  }
  print(
    `\nof ${pairs} pairs of a plan and a baseline, worse in cost or bytes: ${worse.length === 0 ? 'none' : ''}`,
  );
  for (const line of worse) print(`  ${line}`);
  listCuts(listed);
}

/** By way; a way with repeated nodes and without counts as one, with the least of both. */
function baselinesOf(analyzed: AnalyzedModel, slices: number): Baseline[] {
  const { cuts } = analyzed;
  const spaces = cuts.withoutRepeats === undefined ? [cuts] : [cuts, cuts.withoutRepeats];
  const bySpace = spaces.map((space): readonly Groups[] => count(slices).baselines?.(space) ?? []);
  return WAYS.map((_, way) => {
    const priced = bySpace.flatMap((ways) => (way < ways.length ? [pricedGroups(analyzed, ways[way])] : []));
    return {
      movedBytes: Math.min(...priced.map(({ movedBytes }) => movedBytes)),
      dollars: Math.min(...priced.map(({ cost }) => cost.dollars)),
    };
  });
}

function isWorse({ bytes, dollars }: Ratios): boolean {
  return bytes > 1 + ROUNDING || dollars > 1 + ROUNDING;
}

/** What is worse, and whether any legal cut is not. */
function described(
  name: string,
  slices: number,
  analyzed: AnalyzedModel,
  compared: readonly Ratios[],
  baselines: readonly Baseline[],
): string {
  const caps = {
    movedBytes: Math.min(...baselines.map(({ movedBytes }) => movedBytes)),
    dollars: (1 + ROUNDING) * Math.min(...baselines.map(({ dollars }) => dollars)),
  };
  const within = cutsWithin(analyzed, slices, caps);
  const shares = compared.map(
    ({ bytes, dollars }, way) => `${WAYS[way]}: bytes ${bytes.toFixed(4)}, cost ${dollars.toFixed(4)}`,
  );
  const possible =
    within === undefined
      ? 'too many cuts to try all'
      : `${within.within} of all ${within.tried} cuts are within both baselines`;
  return `${name} in ${slices} slices: ${shares.join('; ')}; ${possible}`;
}

function range(ratios: readonly number[]): string {
  const sorted = [...ratios].sort((a, b) => a - b);
  const [median, low, high] = [sorted[Math.floor(sorted.length / 2)], sorted[0], sorted[sorted.length - 1]];
  return `${median.toFixed(3)} (${low.toFixed(3)}-${high.toFixed(3)})`;
}

function cells(name: string, slices: number, { nodes, weightBytes, writeBytes }: PricedCut): string[] {
  const list = (numbers: readonly number[]): string =>
    numbers.map((bytes) => (bytes / KB).toFixed(0)).join(' ');
  return [name, String(slices), nodes.join(' '), list(weightBytes), list(writeBytes)];
}

/** What crosses the cuts, and how even the slices are. */
function listCuts(rows: readonly (readonly string[])[]): void {
  const table = new StreamedTable('slices of count(n); KB = 1,000 bytes', [
    { name: 'model', width: 34 },
    { name: 'slices', width: 6 },
    { name: 'nodes', width: 32 },
    { name: 'weights KB', width: 56 },
    { name: 'written KB', width: 32 },
  ]);
  for (const row of rows) table.row(row);
}
