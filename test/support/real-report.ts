/** Reports of real plans: of models that tests build, with the model of cost. */
import type { PlanReport } from '../../bin/plan/plan-report';
import { assembleReport } from '../../bin/plan/report/assemble-report';
import type { ReportRequest } from '../../bin/plan/report/report-request';
import { analyzeModel } from '../../lib/compile/analyze';
import { compileCut } from '../../lib/compile/compile';
import type { CostOptions } from '../../lib/cost/options';
import { bestCut } from '../../lib/plan/best-cut';
import type { Slicer } from '../../lib/plan/slicers';
import { DEFAULT_GOAL } from '../../lib/plan/goal';

export function realReport(
  file: string,
  slicer: Slicer,
  request: Partial<ReportRequest> = {},
  costs: CostOptions = {},
): PlanReport {
  const analyzed = analyzeModel(file, { costs });
  const cut = bestCut(analyzed.dataflow, analyzed.cuts, slicer);
  const { plan } = compileCut(analyzed, cut);
  return assembleReport(analyzed, cut, plan, { goal: slicer.goal ?? DEFAULT_GOAL, ...request });
}
