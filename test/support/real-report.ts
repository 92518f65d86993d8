/** Reports of real plans: of models that tests build, with the model of cost. */
import type { PlanReport } from '../../bin/plan/plan-report';
import { type ReportRequest, assembleReport } from '../../bin/plan/report/assemble-report';
import { type AnalyzedModel, analyzeModel } from '../../lib/compile/analyze';
import { compileCut } from '../../lib/compile/compile';
import type { CostOptions } from '../../lib/cost/options';
import { bestCut } from '../../lib/plan/best-cut';
import type { ConsolidationMode } from '../../lib/plan/pricing/price';
import { type Slicer, count } from '../../lib/plan/slicers';
import { planLimits } from '../../lib/compile/plan-estimates';
import { FLOAT, floats, node, saveModel, value } from './model-builder';

export function realReport(
  file: string,
  slicer: Slicer,
  request: Partial<ReportRequest> = {},
  costs: CostOptions = {},
  consolidation: ConsolidationMode = 'never',
): PlanReport {
  return reportOf(analyzeModel(file, { costs }), slicer, request, consolidation);
}

export function reportOf(
  analyzed: AnalyzedModel,
  slicer: Slicer,
  request: Partial<ReportRequest> = {},
  consolidation: ConsolidationMode = 'never',
): PlanReport {
  const cut = bestCut(analyzed.dataflow, analyzed.cuts, slicer, consolidation);
  const { plan } = compileCut(analyzed, cut);
  return assembleReport(analyzed, cut, plan, { ...planLimits(slicer), ...request });
}

/** Markup, quotes, template text, characters that turn the direction of text, and 300 letters. */
const HOSTILE =
  `</script><script>document.title='broken'</script><img src=x onerror="document.title='broken'">` +
  `'"\`\${1+1}{b}{a|c}%s\u202e\u2066\u0007\u2028 ${'long'.repeat(75)}`;

/** Two slices of a model whose names are hostile. */
export function hostileReport(): PlanReport {
  const names = ['weight', 'product', 'result'].map((name) => name + HOSTILE);
  const [weight, product, result] = names;
  const file = saveModel({
    graph: {
      node: [node('MatMul', ['x', weight], [product]), node('Tanh', [product], [result])],
      initializer: [floats(weight, [4, 4])],
      input: [value('x', FLOAT, [`batch${HOSTILE}`, 4])],
      output: [value(result, FLOAT)],
    },
  });
  return realReport(file, count(2));
}
