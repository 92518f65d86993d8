/** How stable cuts are when sizes change a little. */
import * as path from 'node:path';
import { analyzeModel } from '../../lib/compile/analyze';
import { bestCut } from '../../lib/plan/best-cut';
import type { Slicer } from '../../lib/plan/slicing';
import { automatic, count } from '../../lib/plan/slicing';
import { writeEncoder, writeResidual } from './models';
import { StreamedTable } from './streamed-table';

/** How many cuts stay at their node when a model's sizes change by up to 5 %. */
export function measureStability(folder: string): void {
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
  const table = new StreamedTable('how often all cuts stay when a size changes by -5, -3, -1, 1, 3 and 5 %', [
    { name: 'size', width: 12 },
    ...slicers.map(([name]) => ({ name, width: name.length })),
  ]);
  for (const [name, family] of Object.entries(families)) {
    const before = at(family(1));
    const after = factors.map((factor) => at(family(factor)));
    const stay = slicers.map((_, index) => {
      const same = after.filter((cuts) => JSON.stringify(cuts[index]) === JSON.stringify(before[index]));
      return `${same.length}/${factors.length}`;
    });
    table.row([name, ...stay]);
  }
}
