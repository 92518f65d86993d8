/** Cuts a model with a slicer, and prices the cut with the library's model of cost. */
import type { RunCost } from '../../lib/cost/cost-model';
import type { AnalyzedModel } from '../../lib/compile/analyze';
import { bestCut } from '../../lib/plan/best-cut';
import { priceSchedule } from '../../lib/plan/schedule/price';
import { scheduleSlices } from '../../lib/plan/schedule/schedule';
import type { Slicer } from '../../lib/plan/search/slicers';
import { memoryMb, threadCount } from '../../lib/plan/sizes/estimate';
import { sliceSizes } from '../../lib/plan/sizes/slice-sizes';
import type { Groups } from '../../lib/plan/wiring/groups';

export interface PricedCut {
  /** By slice: number of nodes. */
  readonly nodes: readonly number[];
  readonly weightBytes: readonly number[];
  /** By slice: bytes that it writes. */
  readonly writeBytes: readonly number[];
  readonly movedBytes: number;
  readonly cost: RunCost;
}

/** A cut into these groups of nodes. */
export function pricedGroups(analyzed: AnalyzedModel, groups: Groups): PricedCut {
  return pricedCut(analyzed, { key: 'groups', choose: () => ({ groups }) });
}

/** Every function has the least memory that fits its slice. */
export function pricedCut({ dataflow, cuts }: AnalyzedModel, slicer: Slicer): PricedCut {
  const cut = bestCut(dataflow, cuts, slicer);
  const sizes = sliceSizes(cut.dataflow, cut.wiring, cuts.bytes, cuts.costs);
  const memory = sizes.map(memoryMb);
  const settings = {
    memoryMb: memory,
    threads: threadCount(Math.max(...memory)),
    transport: 's3-standard' as const,
  };
  const schedule = scheduleSlices({ slices: cut.wiring.slices, outputs: cut.wiring.results });
  const { cost } = priceSchedule(schedule, sizes, settings, {
    model: cuts.costs.model(),
    temperature: 'mixed',
    outputSecondsPerByte: cuts.costs.outputSecondsPerByte,
  });
  return {
    nodes: cut.groups.map((nodes) => nodes.length),
    weightBytes: sizes.map(({ weightBytes }) => weightBytes),
    writeBytes: sizes.map(({ writeBytes }) => writeBytes),
    movedBytes: sizes.reduce((sum, { readBytes, writeBytes }) => sum + readBytes + writeBytes, 0),
    cost,
  };
}
