/**
 * `npm run bench:plan`: how good the cuts are that the planner chooses, how stable they are, and how long it takes. The
 * baselines are equal numbers of nodes, greedy filling, and reading the model.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Command, Option } from 'commander';
import type { AnalyzedModel } from '../../lib/compile/analyze';
import { analyzeModel } from '../../lib/compile/analyze';
import { parseModel } from '../../lib/onnx/parse';
import { bestCut } from '../../lib/plan/best-cut';
import { equalCuts, greedyCuts } from '../../lib/plan/search/baselines';
import type { Slicer } from '../../lib/plan/search/slicers';
import { automatic, count } from '../../lib/plan/search/slicers';
import type { CutSpace } from '../../lib/plan/cuts/cuts';
import { mostSlices } from '../../lib/plan/cuts/cuts';
import { writeManyNodes } from '../slice/models';
import { formatTable } from '../table';
import { writeBidirectionalLstm, writeEncoder, writeResidual } from './models';
import { pricedCut } from './price-cut';

const MIN_NODES = 8;
const MOST_SLICES = 8;
const MANY_NODES = 10_000;
const KB = 1000;
/** Sizes of symbolic dimensions in the models of a folder. */
const DIMENSIONS: readonly Readonly<Record<string, number>>[] = [
  { sequence: 128 },
  { max_seq_len_in_batch: 128 },
];

interface Options {
  readonly models: readonly string[];
  readonly only?: string;
}

interface Subject {
  readonly name: string;
  readonly analyzed: AnalyzedModel;
}

function main({ models, only }: Options): void {
  const runs = (part: string): boolean => only === undefined || only === part;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-plan-'));
  try {
    if (runs('time')) measureTime(folder);
    if (runs('cuts')) {
      const subjects = [...generated(folder), ...models.flatMap(found)];
      compareCuts(subjects);
      listCuts(subjects);
    }
    if (runs('stability')) measureStability(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function generated(folder: string): Subject[] {
  const subject = (name: string, write: (file: string) => void): Subject => {
    const file = path.join(folder, `${name}.onnx`);
    write(file);
    return { name, analyzed: analyzeModel(file) };
  };
  const bert = { layers: 12, hidden: 768, sequence: 128, vocabulary: 30_522 };
  return [
    subject('encoder-12x768', (file) => {
      writeEncoder(file, bert);
    }),
    subject('encoder-24x1024', (file) => {
      writeEncoder(file, { ...bert, layers: 24, hidden: 1024 });
    }),
    subject('residual-224', (file) => {
      writeResidual(file, { size: 224, channels: 64, blocks: 2 });
    }),
    subject('residual-640', (file) => {
      writeResidual(file, { size: 640, channels: 32, blocks: 3 });
    }),
    subject('bidirectional-lstm', writeBidirectionalLstm),
  ];
}

/** The models of a file, or of a folder and its folders. */
function found(where: string): Subject[] {
  if (fs.statSync(where).isDirectory())
    return fs
      .readdirSync(where)
      .sort()
      .filter((name) => name.endsWith('.onnx') || fs.statSync(path.join(where, name)).isDirectory())
      .flatMap((name) => found(path.join(where, name)));
  const name = path.basename(where, '.onnx');
  try {
    const analyzed = analyzeAtRealSizes(where);
    const isLarge = analyzed.dataflow.order.length >= MIN_NODES && mostSlices(analyzed.cuts) >= 2;
    return isLarge ? [{ name: name === 'model' ? path.basename(path.dirname(where)) : name, analyzed }] : [];
  } catch (error) {
    print(`left out: ${name}: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}

/** With the first of the sets of dimensions that the model has. */
function analyzeAtRealSizes(file: string): AnalyzedModel {
  for (const dimensions of DIMENSIONS) {
    try {
      return analyzeModel(file, { dimensions });
    } catch (error) {
      if (!(error instanceof Error && error.message.includes('dimension'))) throw error;
    }
  }
  return analyzeModel(file);
}

function simple(
  name: string,
  cutsOf: (space: CutSpace, slices: number) => readonly number[],
): (slices: number) => Slicer {
  return (slices) => ({
    key: `${name} ${slices}`,
    choose: (space) => {
      const boundaries = [0, ...cutsOf(space, slices), space.dataflow.order.length];
      return {
        groups: boundaries.slice(1).map((end, index) => space.dataflow.order.slice(boundaries[index], end)),
      };
    },
  });
}

const equal = simple('equal', (space, slices) =>
  equalCuts(space.legal, { start: 0, end: space.dataflow.order.length }, slices),
);
const greedy = simple('greedy', (space, slices) =>
  greedyCuts(space, space.legal, { start: 0, end: space.dataflow.order.length }, slices),
);

/** Ratios below 1 are better than the baseline. */
function compareCuts(subjects: readonly Subject[]): void {
  const worse: string[] = [];
  const rows = subjects.map(({ name, analyzed }) => {
    const ratios = { equalBytes: [1], equalCost: [1], greedyBytes: [1], greedyCost: [1] };
    for (const list of Object.values(ratios)) list.length = 0;
    const most = Math.min(MOST_SLICES, analyzed.cuts.legal.length + 1);
    for (let slices = 2; slices <= most; slices++) {
      const own = pricedCut(analyzed, count(slices));
      const [byNodes, byFilling] = [equal, greedy].map((baseline) => pricedCut(analyzed, baseline(slices)));
      ratios.equalBytes.push(own.movedBytes / byNodes.movedBytes);
      ratios.equalCost.push(own.cost.dollars / byNodes.cost.dollars);
      ratios.greedyBytes.push(own.movedBytes / byFilling.movedBytes);
      ratios.greedyCost.push(own.cost.dollars / byFilling.cost.dollars);
      const largest = Object.entries(ratios).filter(([, list]) => list[list.length - 1] > 1);
      for (const [kind, list] of largest)
        worse.push(`${name} in ${slices} slices: ${kind} ${list[list.length - 1].toFixed(6)}`);
    }
    return [name, analyzed.dataflow.order.length, most, ...Object.values(ratios).map(range)];
  });
  print(
    '\nbytes moved and dollars of count(2) to count(8), as ratios to the baselines: median (lowest-highest)',
  );
  print(
    formatTable(
      ['model', 'nodes', 'slices to', 'bytes/equal', 'cost/equal', 'bytes/greedy', 'cost/greedy'],
      rows,
    ),
  );
  print(`worse than a baseline: ${worse.length === 0 ? 'none' : `\n  ${worse.join('\n  ')}`}`);
}

function range(ratios: readonly number[]): string {
  const sorted = [...ratios].sort((a, b) => a - b);
  const [median, low, high] = [sorted[Math.floor(sorted.length / 2)], sorted[0], sorted[sorted.length - 1]];
  return `${median.toFixed(3)} (${low.toFixed(3)}-${high.toFixed(3)})`;
}

/** The cuts of a few models: what crosses them, and how even the slices are. */
function listCuts(subjects: readonly Subject[]): void {
  const rows = subjects.flatMap(({ name, analyzed }) =>
    [3, 4, 8].flatMap((slices) => {
      if (slices > analyzed.cuts.legal.length + 1) return [];
      const { nodes, weightBytes, writeBytes } = pricedCut(analyzed, count(slices));
      const list = (numbers: readonly number[]): string =>
        numbers.map((bytes) => (bytes / KB).toFixed(0)).join(' ');
      return [[name, slices, nodes.join(' '), list(weightBytes), list(writeBytes)]];
    }),
  );
  print('\nslices of count(n); KB = 1,000 bytes');
  print(formatTable(['model', 'slices', 'nodes', 'weights KB', 'written KB'], rows));
}

/** How many cuts stay at their node when a model's sizes change by up to 5 %. */
function measureStability(folder: string): void {
  const factors = [0.95, 0.97, 0.99, 1.01, 1.03, 1.05];
  const encoder = (factor: number) => (file: string) => {
    writeEncoder(file, { layers: 12, hidden: 768, sequence: Math.round(256 * factor), vocabulary: 30_522 });
  };
  const wider = (factor: number) => (file: string) => {
    writeEncoder(file, { layers: 12, hidden: Math.round(768 * factor), sequence: 128, vocabulary: 30_522 });
  };
  const picture = (factor: number) => (file: string) => {
    writeResidual(file, { size: Math.round(640 * factor), channels: 32, blocks: 3 });
  };
  const channels = (factor: number) => (file: string) => {
    writeResidual(file, { size: 224, channels: Math.round(64 * factor), blocks: 3 });
  };
  const families = {
    'sequence 256': encoder,
    'hidden 768': wider,
    'picture 640': picture,
    'channels 64': channels,
  };
  const slicers: [string, Slicer][] = [
    ...[2, 3, 4, 5, 6, 8].map((slices): [string, Slicer] => [`count(${slices})`, count(slices)]),
    ['automatic 512 MB', automatic({ maxMemorySize: 512 })],
    ['cheapest', automatic({ minimize: 'cost' })],
    ['fastest cold', automatic({ minimize: 'latency', temperature: 'cold' })],
  ];
  const file = path.join(folder, 'stable.onnx');
  const at = (write: (file: string) => void): number[][] => {
    write(file);
    const { dataflow, cuts } = analyzeModel(file);
    return slicers.map(([, slicer]) =>
      bestCut(dataflow, cuts, slicer)
        .groups.slice(1)
        .map(([first]) => first),
    );
  };
  const rows = Object.entries(families).map(([name, family]) => {
    const before = at(family(1));
    const after = factors.map((factor) => at(family(factor)));
    return [
      name,
      ...slicers.map((_, index) => {
        const same = after.filter(
          (cuts) => JSON.stringify(cuts[index]) === JSON.stringify(before[index]),
        ).length;
        return `${same}/${factors.length}`;
      }),
    ];
  });
  print('\nhow often all cuts stay when a size changes by -5, -3, -1, 1, 3 and 5 %');
  print(formatTable(['size', ...slicers.map(([name]) => name)], rows));
}

/** The baseline is to read the model's file. */
function measureTime(folder: string): void {
  const file = path.join(folder, 'many.onnx');
  const deep = path.join(folder, 'deep.onnx');
  writeManyNodes(file, MANY_NODES);
  writeEncoder(deep, { layers: 476, hidden: 256, sequence: 128, vocabulary: 1000 });
  const slicers: [string, Slicer][] = [
    ['automatic', automatic()],
    ['fewest slices of 512 MB', automatic({ maxMemorySize: 512 })],
    ['cheapest, 10,240 MB', automatic({ minimize: 'cost', maxMemorySize: 10_240 })],
    ['fastest, 10,240 MB', automatic({ minimize: 'latency', maxMemorySize: 10_240 })],
    ['cheapest below 4 s', automatic({ minimize: 'cost', maxLatencyMs: 4000 })],
    ['count(8)', count(8)],
    ['count(50)', count(50)],
  ];
  const rows = [file, deep].flatMap((model) => {
    const read = seconds(() => parseModel(model));
    const analyzed = analyzeModel(model);
    const nodes = analyzed.dataflow.order.length;
    return slicers.map(([name, slicer]) => {
      let slices = '';
      const time = seconds(() => {
        try {
          slices = String(bestCut(analyzed.dataflow, analyzed.cuts, slicer).groups.length);
        } catch (error) {
          slices = error instanceof Error ? error.message : String(error);
        }
      });
      return [
        path.basename(model),
        nodes,
        name,
        slices,
        time.toFixed(2),
        read.toFixed(2),
        (time / read).toFixed(1),
      ];
    });
  });
  print('\ntime of planning beyond type inference');
  print(formatTable(['model', 'nodes', 'slicer', 'slices', 'plan s', 'read model s', 'ratio'], rows));
}

function seconds(run: () => unknown): number {
  const start = process.hrtime.bigint();
  run();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

new Command('bench:plan')
  .description('Compares cuts with simple ways to cut, and measures the time of planning.')
  .option('--models <paths...>', 'more models: files, or folders of models', [])
  .addOption(new Option('--only <part>', 'measure one part').choices(['cuts', 'stability', 'time']))
  .action(main)
  .parse();
