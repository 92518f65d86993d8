/** Small pipelines that stand for others: chains and branches, Express and Standard, consolidation, tensors in S3 and in the state. */
import * as fs from 'node:fs';
import type { Stack } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { ResultsPlace } from '../../client';
import {
  Consolidation,
  GraphOptimization,
  type SlicedInferencePipelineProps,
  Slicing,
  TensorStore,
  WarmUp,
} from '../../lib';
import type { SlicePlan } from '../../lib/plan/file/plan';
import { scheduleSlices } from '../../lib/plan/schedule/schedule';
import { synthesize } from '../support/deployed-pipeline';
import { mlp, type ModelInit, saveModel } from '../support/model-builder';
import { runWhole, type Tensors } from '../support/run-slices';
import { scheduleText } from '../support/scheduled-plan';
import { float32 } from '../support/tensors';
import { twoTowers, WIDTH } from '../support/towers';

export interface Example {
  readonly name: string;
  readonly assembly: string;
  /** Which slices follow each other and which are in branches, such as `(0 1 | 2 3) 4`. */
  readonly schedule: string;
  readonly requests: readonly { readonly inputs: Tensors; readonly results: ResultsPlace }[];
  /** The whole model's results, by request. */
  readonly references: readonly Tensors[];
}

type Init = readonly [
  name: string,
  model: ModelInit,
  props: (stack: Stack) => Partial<SlicedInferencePipelineProps>,
];

const EXAMPLES: readonly Init[] = [
  [
    'an Express chain with a key and warm-ups',
    mlp(4, WIDTH),
    (stack) => ({
      slicing: Slicing.count(4),
      encryptionKey: new kms.Key(stack, 'Key'),
      warmUp: WarmUp.ALWAYS,
    }),
  ],
  [
    'a Standard pipeline with branches and tensors in the state',
    { graph: twoTowers('n') },
    () => ({
      // By number, the planner cuts a chain, because a Standard machine pays for each transition.
      slicing: Slicing.atTensors(['t1', 'text_out', 'i1', 'image_out']),
      stateMachineType: sfn.StateMachineType.STANDARD,
    }),
  ],
  [
    'an optimized Standard chain with consolidation and S3 Express One Zone',
    mlp(3, WIDTH),
    () => ({
      slicing: Slicing.count(3),
      stateMachineType: sfn.StateMachineType.STANDARD,
      consolidation: Consolidation.ALWAYS,
      // Which fuses each product with its bias.
      graphOptimization: GraphOptimization.EXTENDED,
      tensorStore: TensorStore.s3ExpressOneZone('use1-az5'),
      tensorsInState: false,
    }),
  ],
  [
    'an Express pipeline with consolidation and branches',
    { graph: twoTowers('n') },
    () => ({ slicing: Slicing.count(5), consolidation: Consolidation.ALWAYS, tensorsInState: false }),
  ],
];

/**
 * Of each pipeline. The rows of the last one fit neither the execution's input nor its output, so they are objects in S3. The executions
 * take turns with pipelines and with requests, so no number of pipelines may divide that of requests.
 */
const REQUESTS: readonly { readonly rows: number; readonly results: ResultsPlace }[] = [
  { rows: 32, results: 'auto' },
  { rows: 31, results: 's3' },
  { rows: 30, results: 'inline' },
  { rows: 1, results: 'auto' },
  { rows: 1024, results: 'auto' },
];

export function synthesizeExamples(): Promise<Example[]> {
  return Promise.all(EXAMPLES.map(synthesizeExample));
}

async function synthesizeExample([name, model, props]: Init): Promise<Example> {
  const modelPath = saveModel(model);
  let planPath = '';
  const assembly = synthesize(modelPath, props, { use: (_, pipeline) => ({ planPath } = pipeline) });
  const plan = JSON.parse(fs.readFileSync(planPath, 'utf8')) as SlicePlan;
  const names = (model.graph.input as readonly { readonly name: string }[]).map((input) => input.name);
  const requests = REQUESTS.map(({ rows, results }) => ({ inputs: inputsOf(names, rows), results }));
  const references: Tensors[] = [];
  for (const { inputs } of requests)
    references.push(await runWhole(modelPath, inputs, plan.graphOptimization));
  return { name, assembly, schedule: scheduleText(scheduleSlices(plan)), requests, references };
}

function inputsOf(names: readonly string[], rows: number): Tensors {
  const tensors = names.map((name, input) => {
    const values = Array.from({ length: rows * WIDTH }, (_, at) => Math.sin((at + 1) * rows + input));
    return [name, float32([rows, WIDTH], values)] as const;
  });
  return new Map(tensors);
}
