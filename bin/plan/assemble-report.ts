/** Assembles the report of a plan from the analyzed model, its cut and its slices. */
import * as path from 'node:path';
import type { AnalyzedModel } from '../../lib/compile/analyze';
import type { CutSpace } from '../../lib/plan/cuts/cuts';
import { findCuts } from '../../lib/plan/cuts/cuts';
import type { PlanDraft } from '../../lib/plan/file/plan';
import type { WiredCut } from '../../lib/plan/wiring/wiring';
import { graphProfile } from './graph-profile';
import type { CrossingTensor, PlanReport, ReportedCut, ReportedModel, ReportedSlice } from './plan-report';

/** Reports what is known without a model of cost: sizes, cuts and the profile of the graph. */
export function assembleReport(analyzed: AnalyzedModel, cut: WiredCut, plan: PlanDraft): PlanReport {
  const order = cut.groups.flat();
  const { rule, bytes, costs } = analyzed.cuts;
  const cuts = findCuts({ ...cut.dataflow, order }, rule, bytes, costs);
  const slices = reportedSlices(cut, plan);
  const starts = slices.slice(1).map(({ first }) => first);
  return {
    model: reportedModel(analyzed),
    slices,
    profile: graphProfile({ cuts, starts }),
    cuts: starts.map((position, slice) => reportedCut(analyzed, cuts, slice, position)),
    verdict: [verdictOf(slices)],
    assumptions: [],
    warnings: [],
  };
}

function reportedModel({ source, model, planned }: AnalyzedModel): ReportedModel {
  return {
    file: path.basename(source[0].path),
    bytes: source.reduce((sum, { size }) => sum + size, 0),
    nodes: model.graph.nodes.length,
    dimensions: Object.entries(planned.dimensions).map(([name, size]) => ({
      name,
      size,
      isAssumed: planned.assumed.includes(name),
    })),
  };
}

function reportedSlices({ groups }: WiredCut, plan: PlanDraft): ReportedSlice[] {
  let next = 0;
  return plan.slices.map((slice, index): ReportedSlice => {
    const nodes = groups[index].length;
    const first = next;
    next += nodes;
    const { weightBytes, activationBytes, readBytes, writeBytes, memoryMb } = slice;
    return {
      slice: index,
      nodes,
      first,
      last: next - 1,
      fileBytes: slice.model.bytes + (slice.weights?.bytes ?? 0),
      ...{ weightBytes, activationBytes, readBytes, writeBytes, memoryMb },
    };
  });
}

function reportedCut(
  { model, types }: AnalyzedModel,
  { bytes, crossingBytes, producedAt, lastUsedAt }: CutSpace,
  slice: number,
  position: number,
): ReportedCut {
  const crossing = model.graph.values
    .map((_, value) => value)
    .filter(
      (value) => producedAt[value] >= 0 && producedAt[value] < position && lastUsedAt[value] >= position,
    );
  return {
    slice,
    position,
    bytes: crossingBytes[position],
    tensors: crossing.map((value): CrossingTensor => {
      const { dtype = 'unknown', shape } = types[value];
      return { name: model.graph.values[value].name, dtype, shape, bytes: bytes[value] };
    }),
  };
}

function verdictOf(slices: readonly ReportedSlice[]): string {
  const largest = slices.reduce((most, { memoryMb }) => Math.max(most, memoryMb), 0).toLocaleString('en-US');
  return slices.length === 1
    ? `The whole model runs in one function of ${largest} MB.`
    : `The model runs in ${slices.length} functions, of which the largest has ${largest} MB.`;
}
