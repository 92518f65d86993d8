/** Reports of real plans: of models that tests build, with the model of cost. */
import type { PlanReport } from '../../bin/plan/plan-report';
import { assembleReport } from '../../bin/plan/report/assemble-report';
import type { ReportRequest } from '../../bin/plan/report/report-request';
import type { AnalyzedModel } from '../../lib/compile/analyze';
import { analyzeModel } from '../../lib/compile/analyze';
import { compileCut } from '../../lib/compile/compile';
import type { PlanCostOptions } from '../../lib/compile/plan-costs';
import { planCosts } from '../../lib/compile/plan-costs';
import { bestCut } from '../../lib/plan/best-cut';
import type { Slicer } from '../../lib/plan/search/slicers';
import { DEFAULT_GOAL } from '../../lib/plan/search/slicers';

export function realReport(
  file: string,
  slicer: Slicer,
  request: Partial<ReportRequest> = {},
  options: PlanCostOptions = {},
): PlanReport {
  const analyzed = withCosts(analyzeModel(file), options);
  const cut = bestCut(analyzed.dataflow, analyzed.cuts, slicer);
  const { plan } = compileCut(analyzed, cut);
  return assembleReport(analyzed, cut, plan, { goal: slicer.goal ?? DEFAULT_GOAL, ...request });
}

function withCosts(analyzed: AnalyzedModel, options: PlanCostOptions): AnalyzedModel {
  const costs = planCosts(analyzed.model, analyzed.planned.types, options);
  const { withoutRepeats } = analyzed.cuts;
  return {
    ...analyzed,
    costs,
    cuts: {
      ...analyzed.cuts,
      costs,
      ...(withoutRepeats && { withoutRepeats: { ...withoutRepeats, costs } }),
    },
  };
}
