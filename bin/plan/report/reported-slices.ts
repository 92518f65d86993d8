/** What the report says about the model, its slices and the cuts between them. */
import * as path from 'node:path';
import type { AnalyzedModel } from '../../../lib/compile/analyze';
import { type CutSpace, nodesToShareOut } from '../../../lib/plan/cuts/cuts';
import type { PlanDraft } from '../../../lib/plan/file/plan';
import { wholeModel } from '../../../lib/plan/pricing/price';
import { type SliceSize, memoryMb, peakBytes } from '../../../lib/plan/sizes/estimate';
import type { WiredCut } from '../../../lib/plan/wiring/wiring';
import type { Ends, ReportedCut, ReportedModel, ReportedSlice, SliceTimes } from '../plan-report';
import type { ItemizedStep } from '../../../lib/cost/schedule';

export function reportedModel({ source, model, planned, dataflow, cuts }: AnalyzedModel): ReportedModel {
  const { size: whole } = wholeModel(dataflow, cuts);
  return {
    file: path.basename(source[0].path),
    bytes: source.reduce((sum, { size }) => sum + size, 0),
    nodes: model.graph.nodes.length,
    nodesToShareOut: nodesToShareOut(cuts),
    peakMemoryBytes: peakBytes(whole),
    memoryMb: memoryMb(whole),
    coreSeconds: whole.coreSeconds,
    dimensions: Object.entries(planned.dimensions).map(([name, size]) => ({
      name,
      size,
      isAssumed: planned.assumed.includes(name),
    })),
  };
}

type Steps = readonly ItemizedStep[];

/**
 * @param sizes by slice
 * @param steps by slice
 * @param ends the steps where functions are fastest, and slowest
 */
export function reportedSlices(
  { groups }: WiredCut,
  plan: PlanDraft,
  sizes: readonly SliceSize[],
  steps: Steps,
  ends: Ends<Steps>,
): ReportedSlice[] {
  let next = 0;
  return plan.slices.map((slice, index): ReportedSlice => {
    const nodes = groups[index].length;
    const first = next;
    next += nodes;
    const { weightBytes, activationBytes, readBytes, writeBytes, memoryMb: memory, peakMemoryBytes } = slice;
    const { writesTo, inState } = steps[index];
    const timesOf = ({ [index]: { cost } }: Steps): SliceTimes => {
      const { warmMs, loadMs, coldMs } = cost;
      return { warmMs, loadMs, coldMs };
    };
    return {
      slice: index,
      nodes,
      first,
      last: next - 1,
      fileBytes: slice.model.bytes + (slice.weights?.bytes ?? 0),
      ...{ weightBytes, activationBytes, readBytes, writeBytes },
      writesTo: inState?.isAnswered ? 'state' : writesTo,
      memoryMb: memory,
      peakMemoryBytes,
      coreSeconds: sizes[index].coreSeconds,
      times: { ...timesOf(steps), ends: { fast: timesOf(ends.fast), slow: timesOf(ends.slow) } },
    };
  });
}

/** By slice but the last. */
export function reportedCuts(
  { model, types }: AnalyzedModel,
  { bytes, crossingBytes, producedAt, lastUsedAt }: CutSpace,
  slices: readonly ReportedSlice[],
): ReportedCut[] {
  return slices.slice(1).map(({ first: position }, slice) => ({
    ...{ slice, position, bytes: crossingBytes[position] },
    tensors: model.graph.values.flatMap(({ name }, value) => {
      const isCrossing =
        producedAt[value] >= 0 && producedAt[value] < position && lastUsedAt[value] >= position;
      const { dtype = 'unknown', shape } = types[value];
      return isCrossing ? [{ name, dtype, shape, bytes: bytes[value] }] : [];
    }),
  }));
}
