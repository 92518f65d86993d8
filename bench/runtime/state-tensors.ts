/**
 * Compares slices that hand on small tensors in the state of the execution with slices that write them to S3: the objects
 * between slices, the bits of the results, the warm runs in the simulated network, and the modelled price.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { analyzeModel } from '../../lib/compile/analyze';
import { plannedRuns } from '../../lib/plan/pricing/plan-runs';
import { bestCut } from '../../lib/plan/best-cut';
import { count } from '../../lib/plan/slicers';
import type { Simulation } from '../../local';
import { Deployment } from '../deployment';
import { ocrModel, type BenchModel } from '../inputs';
import { formatSpread, formatTable, spread } from '../measure';
import { writeTransformer } from '../models/transformer';
import { synthesize } from '../synthesize';

const COLUMNS = [
  ...['model', 'machine', 'objects', 'warm s, S3', 'state', 'ratio'],
  ...['1M modelled, S3', 'state', 'ratio', 'bits'],
];

const MACHINES = ['express', 'standard'] as const;
type Machine = (typeof MACHINES)[number];

/** @param runs warm runs of each pipeline, which take turns */
export async function benchStateTensors(
  folder: string,
  simulation: Simulation,
  runs: number,
): Promise<string> {
  fs.mkdirSync(folder);
  const rows: string[][] = [];
  for (const [model, slices] of smallTensorModels(folder))
    for (const machine of MACHINES)
      rows.push(await compare(model, slices, machine, { folder, simulation, runs }));
  return formatTable(COLUMNS, rows);
}

/** Models of which a few KB cross each cut, and their numbers of slices. */
function smallTensorModels(folder: string): [BenchModel, number][] {
  const file = path.join(folder, 'encoder.onnx');
  writeTransformer(file, { layers: 6, hidden: 384, heads: 12, vocabulary: 30_522, sequence: 16 });
  return [
    [{ name: 'encoder, 6 layers of 384, 16 tokens', file, dimensions: {} }, 4],
    [ocrModel('OCR classification', 'ch_ppocr_mobile_v2.0_cls_infer.onnx', 48, 192), 3],
  ];
}

async function compare(
  model: BenchModel,
  slices: number,
  stateMachineType: Machine,
  {
    folder,
    simulation,
    runs,
  }: { readonly folder: string; readonly simulation: Simulation; readonly runs: number },
): Promise<string[]> {
  const subjects = [false, true].map((tensorsInState) => ({
    outdir: fs.mkdtempSync(path.join(folder, 'assembly-')),
    ...{ model, slices, stateMachineType, tensorsInState },
  }));
  synthesize(...subjects);
  const ways: Way[] = [];
  try {
    for (const { outdir } of subjects) ways.push(await Way.start(model, outdir, simulation));
    for (let run = 0; run < runs; run++) for (const way of ways) await way.run();
  } finally {
    for (const way of ways) await way.close();
  }
  const [inS3, inState] = ways;
  const [s3Price, statePrice] = [false, true].map((isInState) =>
    price(model, slices, stateMachineType, isInState),
  );
  const seconds = ({ ms }: Way): string => formatSpread(spread(ms.map((value) => value / 1000)), 2);
  return [
    ...[`${model.name}, ${slices} slices`, stateMachineType, `${inS3.objects}, ${inState.objects}`],
    ...[seconds(inS3), seconds(inState)],
    formatSpread(spread(inState.ms.map((ms, run) => ms / inS3.ms[run])), 2),
    ...[`$${s3Price.toFixed(2)}`, `$${statePrice.toFixed(2)}`, (statePrice / s3Price).toFixed(2)],
    new Set([...inS3.results, ...inState.results]).size === 1 ? 'identical' : 'differ',
  ];
}

/** The warm runs of one way to hand on tensors. */
class Way {
  readonly ms: number[] = [];
  /** Digests. */
  readonly results = new Set<string>();

  private constructor(
    private readonly deployment: Deployment,
    /** Those that slices wrote; a write may be repeated. */
    private readonly written: Set<string>,
  ) {}

  /** The first runs load the slices. */
  static async start(model: BenchModel, assembly: string, simulation: Simulation): Promise<Way> {
    const written = new Set<string>();
    const deployment = await Deployment.start(model, assembly, {
      simulation,
      tls: true,
      onAccess: ({ action, resource }) => {
        if (action === 's3:PutObject' && /\/slice-\d+\.safetensors$/.test(resource)) written.add(resource);
      },
    });
    for (let run = 0; run < 2; run++) await deployment.run();
    written.clear();
    return new Way(deployment, written);
  }

  async run(): Promise<void> {
    const run = await this.deployment.run();
    this.results.add(await this.deployment.digestOf(run));
    this.ms.push(run.ms);
  }

  /** Between slices of one run. */
  get objects(): number {
    return this.written.size / this.ms.length;
  }

  async close(): Promise<void> {
    await this.deployment.close();
  }
}

/** Modelled for AWS: dollars of a million warm runs. */
function price(
  { file, dimensions }: BenchModel,
  slices: number,
  stateMachineType: Machine,
  tensorsInState: boolean,
): number {
  const costs = { stateMachineType, tensorsInState, warmUp: false };
  const analyzed = analyzeModel(file, { dimensions, costs });
  const cut = bestCut(analyzed.dataflow, analyzed.cuts, count(slices));
  return 1e6 * plannedRuns(analyzed, cut).plan.warm.dollars;
}
