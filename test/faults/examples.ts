/** Small pipelines that stand for others: chains and branches, Express and Standard, consolidation, tensors in S3 and in the state. */
import * as fs from 'node:fs';
import { App, Stack } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { ResultsPlace } from '../../client';
import {
  Consolidation,
  GraphOptimization,
  SlicedInferencePipeline,
  type SlicedInferencePipelineProps,
  Slicing,
  TensorStore,
  WarmUp,
} from '../../lib';
import { ORT_LEVELS } from '../../lib/optimize/level';
import type { SlicePlan } from '../../lib/plan/file/plan';
import { scheduleSlices } from '../../lib/plan/schedule/schedule';
import { FLOAT, mlp, type ModelInit, saveModel, value } from '../support/model-builder';
import { scheduleText } from '../support/scheduled-plan';
import { twoTowers, WIDTH } from '../support/towers';
import { fingerprint } from './judge';

export interface Example {
  readonly name: string;
  readonly assembly: string;
  /** Which slices follow each other and which are in branches, such as `(0 1 | 2 3) 4`. */
  readonly schedule: string;
  readonly requests: readonly Request[];
  /** Fingerprints of the whole model's results, by request. */
  readonly references: readonly string[];
}

/** The inputs of a request, which are all float32. */
type Inputs = Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>>;

interface Request {
  readonly inputs: Inputs;
  readonly results: ResultsPlace;
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
    towers(),
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
    towers(),
    () => ({
      slicing: Slicing.count(5),
      consolidation: Consolidation.ALWAYS,
      tensorsInState: false,
    }),
  ],
];

function towers(): ModelInit {
  const graph = twoTowers();
  return { graph: { ...graph, input: ['text', 'image'].map((name) => value(name, FLOAT, ['n', WIDTH])) } };
}

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

export async function synthesizeExamples(folder: string): Promise<Example[]> {
  // All before the first synthesis, which waits until its file is no longer new.
  const models = EXAMPLES.map(([, model], index) => saveModel(model, `model-${index}.onnx`, folder));
  return Promise.all(EXAMPLES.map((init, index) => synthesize(init, models[index], `${models[index]}.out`)));
}

async function synthesize([name, model, props]: Init, modelPath: string, outdir: string): Promise<Example> {
  const app = new App({ outdir, analyticsReporting: false });
  const stack = new Stack(app, 'Faults');
  const { planPath } = new SlicedInferencePipeline(stack, 'Pipeline', {
    modelPath,
    architecture: process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
    ...props(stack),
  });
  const assembly = app.synth().directory;
  const plan = JSON.parse(fs.readFileSync(planPath, 'utf8')) as SlicePlan;
  const names = (model.graph.input as readonly { readonly name: string }[]).map((input) => input.name);
  const requests = REQUESTS.map(({ rows, results }) => ({ inputs: inputsOf(names, rows), results }));
  const inputs = requests.map((request) => request.inputs);
  const references = await wholeModelResults(modelPath, plan, inputs);
  return { name, assembly, schedule: scheduleText(scheduleSlices(plan)), requests, references };
}

function inputsOf(names: readonly string[], rows: number): Inputs {
  const tensors = names.map((name, input) => {
    const data = Float32Array.from({ length: rows * WIDTH }, (_, at) => Math.sin((at + 1) * rows + input));
    return [name, { shape: [rows, WIDTH], data }] as const;
  });
  return Object.fromEntries(tensors);
}

/**
 * Runs the file of the unsliced model, and returns the fingerprints of the results by request. None of the code that slices and runs
 * it takes part.
 */
async function wholeModelResults(
  modelPath: string,
  { threads, graphOptimization }: SlicePlan,
  requests: readonly Inputs[],
): Promise<string[]> {
  const session = await InferenceSession.create(modelPath, {
    graphOptimizationLevel: ORT_LEVELS[graphOptimization],
    intraOpNumThreads: threads,
    extra: { session: { disable_prepacking: '1' } },
  });
  const prints: string[] = [];
  for (const inputs of requests) {
    const feeds = Object.entries(inputs).map(
      ([name, { shape, data }]) => [name, new Tensor('float32', data, shape)] as const,
    );
    const results = Object.entries(await session.run(Object.fromEntries(feeds)));
    prints.push(
      fingerprint(results.map(([name, { type, dims, data }]) => [name, type, dims, data as Float32Array])),
    );
  }
  await session.release();
  if (new Set(prints).size < prints.length)
    throw new Error(`two requests of ${modelPath} have the same result`);
  return prints;
}
