/** The runs of a plan inside a batch: in an Express state machine, without warm-ups, with requests and results in S3. */
import type { BatchedPlan } from '../../cost/batch';
import { DetailedCostModel } from '../../cost/model';
import type { Schedule } from '../../cost/schedule';
import type { Transport } from '../../cost/chain';
import { largestOf, sumOf } from '../../extremes';
import type { CutSpace } from '../cuts/cuts';
import { scheduleSlices } from '../schedule/schedule';
import type { WiredCut } from '../wiring/wiring';
import { plannedRuns } from './plan-runs';
import { type SliceSettings, pricedPlan } from './price';

/** Also with consolidation, the slices alone run: how many items find the whole model warm is not modeled. */
export function batchRuns(
  analyzed: { readonly cuts: CutSpace; readonly transport: Transport },
  cut: WiredCut & { readonly settings?: SliceSettings },
): BatchedPlan {
  const { bytes, costs } = analyzed.cuts;
  const { dataflow, groups, wiring } = cut;
  const own = { dataflow, groups, wiring };
  const { sizes, settings } = plannedRuns(analyzed, {
    ...own,
    ...(cut.settings && { settings: cut.settings }),
  });
  const model = new DetailedCostModel({
    ...costs.model(undefined, false).options,
    ...{ stateMachineType: 'express', warmUp: false, request: 's3', result: 'inline' },
  });
  const schedule = scheduleSlices({ slices: wiring.slices, outputs: wiring.results });
  const { outputSecondsPerByte } = costs;
  const priced = pricedPlan(schedule, sizes, settings, { model, outputSecondsPerByte }, { cut: own, bytes });
  return { ...priced, memoryMb: settings.memoryMb, width: widthOf(schedule) };
}

function widthOf(schedule: Schedule): number {
  return largestOf(
    schedule.map((stage) => (stage.kind === 'parallel' ? sumOf(stage.branches.map(widthOf)) : 1)),
  );
}
