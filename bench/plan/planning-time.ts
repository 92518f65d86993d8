/** How long planning takes beyond type inference. */
import * as path from 'node:path';
import { analyzeModel } from '../../lib/compile/analyze';
import { parseModel } from '../../lib/onnx/parse';
import { bestCut } from '../../lib/plan/best-cut';
import type { Slicer } from '../../lib/plan/slicing';
import { automatic, count } from '../../lib/plan/slicing';
import { writeManyNodes } from '../slice/models';
import { writeEncoder } from './models';
import { StreamedTable } from './streamed-table';

const MANY_NODES = 10_000;

const SLICERS: readonly (readonly [string, Slicer])[] = [
  ['automatic', automatic()],
  ['fewest slices of 512 MB', automatic({ maxMemorySize: 512 })],
  ['cheapest, 10,240 MB', automatic({ minimize: 'cost', maxMemorySize: 10_240 })],
  ['fastest, 10,240 MB', automatic({ minimize: 'latency', maxMemorySize: 10_240 })],
  ['cheapest mixed', automatic({ minimize: 'cost', temperature: 'mixed' })],
  ['fastest mixed', automatic({ minimize: 'latency', temperature: 'mixed' })],
  ['fastest cold', automatic({ minimize: 'latency', temperature: 'cold' })],
  ['fastest warm', automatic({ minimize: 'latency', temperature: 'warm' })],
  [
    'cheapest within p95 mixed',
    automatic({
      minimize: 'cost',
      temperature: 'mixed',
      quantile: 'p95',
      maxLatencyMs: 4000,
      maxMemorySize: 10_240,
    }),
  ],
  ['count(8)', count(8)],
  ['count(50)', count(50)],
];

/** The baseline is to read the model's file. */
export function measureTime(folder: string): void {
  const file = path.join(folder, 'many.onnx');
  const deep = path.join(folder, 'deep.onnx');
  writeManyNodes(file, MANY_NODES);
  writeEncoder(deep, { layers: 476, hidden: 256, sequence: 128, vocabulary: 1000 });
  const table = new StreamedTable('time of planning beyond type inference', [
    { name: 'model', width: 9 },
    { name: 'nodes', width: 5 },
    { name: 'slicer', width: 26 },
    { name: 'slices', width: 6 },
    { name: 'plan s', width: 6 },
    { name: 'processor s', width: 11 },
    { name: 'read model s', width: 12 },
    { name: 'ratio', width: 5 },
  ]);
  for (const model of [file, deep]) {
    const read = measured(() => parseModel(model));
    const analyzed = analyzeModel(model);
    const nodes = analyzed.dataflow.order.length;
    for (const [name, slicer] of SLICERS) {
      let slices = '';
      const plan = measured(() => {
        try {
          slices = String(bestCut(analyzed.dataflow, analyzed.cuts, slicer).groups.length);
        } catch (error) {
          slices = error instanceof Error ? error.message : String(error);
        }
      });
      const [elapsed, processor] = [plan.seconds.toFixed(2), plan.processorSeconds.toFixed(2)];
      const ratio = (plan.seconds / read.seconds).toFixed(1);
      table.row([
        path.basename(model),
        nodes,
        name,
        slices,
        elapsed,
        processor,
        read.seconds.toFixed(2),
        ratio,
      ]);
    }
  }
}

/** On a busy machine, the time of the processor says more than the elapsed time. It includes collecting garbage. */
function measured(run: () => unknown): { readonly seconds: number; readonly processorSeconds: number } {
  const [start, before] = [process.hrtime.bigint(), process.cpuUsage()];
  run();
  const { user, system } = process.cpuUsage(before);
  return {
    seconds: Number(process.hrtime.bigint() - start) / 1e9,
    processorSeconds: (user + system) / 1e6,
  };
}
