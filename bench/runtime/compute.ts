/** Compares the compute time of all slices with that of the whole model: elapsed and CPU time in one process. */
import { execFileSync } from 'node:child_process';
import * as path from 'node:path';
import { compile } from '../../lib/compile/compile';
import { writeSlices } from '../../lib/emit/write';
import { count } from '../../lib/plan/slicing';
import { formatSpread, spread } from '../measure';
import { formatTable } from '../table';
import type { Compute } from './compute-child';
import type { BenchModel } from './models';

const SLICES = 4;

export function benchCompute(folder: string, models: readonly BenchModel[], rounds: number): string {
  const rows = models.map((model, index) => {
    const slices = path.join(folder, `slices-${index}`);
    writeSlices(compile(model.file, count(SLICES)), slices);
    const compute = JSON.parse(
      execFileSync(
        process.execPath,
        [path.join(__dirname, 'compute-child.js'), JSON.stringify(model), slices, String(rounds)],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
      ),
    ) as Compute;
    const { wholeMs, slicesMs, wholeCpuMs, slicesCpuMs } = compute;
    const ratios = (of: readonly number[], to: readonly number[]): string =>
      formatSpread(spread(of.map((value, round) => value / to[round])), 3);
    return [
      model.name,
      formatSpread(spread(wholeMs), 1),
      formatSpread(spread(slicesMs), 1),
      ratios(slicesMs, wholeMs),
      ratios(slicesCpuMs, wholeCpuMs),
    ];
  });
  return formatTable(
    [`${SLICES} slices, ${rounds} rounds`, 'whole ms', 'slices ms', 'elapsed ratio', 'CPU ratio'],
    rows,
  );
}
