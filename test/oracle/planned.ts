/** Plans and deploys models as users do: what `plan --json` prints, `plan.json` and the template. This is the product, which the oracle judges. */
import * as fs from 'node:fs';
import type { Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { PlanReport } from '../../bin/plan/plan-report';
import { plannedModel } from '../../bin/plan/report/assemble-report';
import { Consolidation, Slicing, TensorStore, WarmUp, type SlicedInferencePipelineProps } from '../../lib';
import { analyzeModel } from '../../lib/compile/analyze';
import { compileCut } from '../../lib/compile/compile';
import { cutModel } from '../../lib/compile/fit-by-splits';
import type { CostOptions } from '../../lib/cost/options';
import { plannedRuns } from '../../lib/plan/pricing/plan-runs';
import { count } from '../../lib/plan/slicers';
import { pipelineStack } from '../support/pipeline-stack';
import type { PlanFile } from './deployment';

/** A plan in the words of both sides. */
export interface Asked {
  readonly model: string;
  readonly slices: number;
  readonly costs?: CostOptions;
  readonly isExpressStore?: boolean;
  readonly isConsolidated?: boolean;
  /** Memory of all functions in MB. @default - of the plan */
  readonly props?: (stack: Stack) => Partial<SlicedInferencePipelineProps>;
}

export interface Planned {
  readonly report: PlanReport;
  /** Milliseconds, which the report has only as quantiles. */
  readonly means: { readonly warm: number; readonly cold: number };
  readonly plan: PlanFile;
  readonly whole?: { readonly plan: PlanFile; readonly coreSeconds: number };
  readonly template: unknown;
}

export function planned({
  model,
  slices,
  costs = {},
  isExpressStore,
  isConsolidated,
  props,
}: Asked): Planned {
  const transport = isExpressStore ? 's3-express' : 's3-standard';
  const consolidation = isConsolidated ? 'always' : 'never';
  const slicer = count(slices);
  const options = { transport, costs } as const;
  const { analyzed, cut } = cutModel(analyzeModel(model, options), slicer, consolidation);
  const flags = { consolidation, itemsPerRun: 8, concurrency: 100 } as unknown as Parameters<
    typeof plannedModel
  >[3];
  const { report } = plannedModel(analyzed, cut, slicer, flags);
  const { plan: runs } = plannedRuns(analyzed, cut);
  const { pipeline, template } = pipelineStack((stack) => ({
    ...{ modelPath: model, slicing: Slicing.count(slices) },
    stateMachineType:
      costs.stateMachineType === 'standard' ? sfn.StateMachineType.STANDARD : sfn.StateMachineType.EXPRESS,
    architecture: costs.architecture === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
    ...(costs.warmUp !== undefined && { warmUp: costs.warmUp ? WarmUp.ALWAYS : WarmUp.NEVER }),
    ...(costs.tensorsInState !== undefined && { tensorsInState: costs.tensorsInState }),
    ...(isExpressStore && { tensorStore: TensorStore.s3ExpressOneZone('use1-az5') }),
    consolidation: isConsolidated ? Consolidation.ALWAYS : Consolidation.NEVER,
    ...props?.(stack),
  }));
  const written = JSON.parse(fs.readFileSync(pipeline.planPath, 'utf8')) as PlanFile;
  return {
    ...{ report, means: { warm: runs.warm.time.mean, cold: runs.cold.time.mean } },
    ...{ plan: written, template: template.toJSON() },
    ...(cut.whole && {
      whole: {
        plan: JSON.parse(JSON.stringify(compileCut(analyzed, cut.whole.cut).plan)) as PlanFile,
        coreSeconds: cut.whole.size.coreSeconds,
      },
    }),
  };
}
