/**
 * Compares slices that hand on small tensors in the state of the execution with slices that write them to S3: the objects
 * between slices, the bits of the results, the warm runs in the simulated network, and the modelled price.
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { ExecutionOutput } from '../../client';
import { analyzeModel } from '../../lib/compile/analyze';
import { plannedRuns } from '../../lib/plan/pricing/plan-runs';
import { bestCut } from '../../lib/plan/best-cut';
import { count } from '../../lib/plan/slicers';
import type { Simulation } from '../../local';
import { formatSpread, spread } from '../measure';
import { formatTable } from '../table';
import { Deployment } from './deployment';
import { benchInputs, ocrModel, type BenchModel } from './models';
import { synthesize } from './synthesize';
import { writeTransformer } from './transformer';

interface SmallTensorModel extends BenchModel {
  readonly slices: number;
  /** Sizes of symbolic dimensions, by name. */
  readonly dimensions: Readonly<Record<string, number>>;
}

const MACHINES = ['express', 'standard'] as const;
type Machine = (typeof MACHINES)[number];

/** What one way to hand on tensors did. */
interface Way {
  /** Objects between slices of one run. */
  readonly objects: number;
  readonly ms: readonly number[];
  /** Digests of the results. */
  readonly results: ReadonlySet<string>;
  /** Modelled for AWS, in dollars. */
  readonly perMillion: number;
}

/** @param runs warm runs of each pipeline, which take turns */
export async function benchStateTensors(
  folder: string,
  simulation: Simulation,
  runs: number,
): Promise<string> {
  fs.mkdirSync(folder);
  const rows: string[][] = [];
  for (const model of smallTensorModels(folder))
    for (const machine of MACHINES) rows.push(await compare(model, machine, folder, { simulation, runs }));
  return formatTable(
    [
      'model',
      'machine',
      'objects',
      'warm s, S3',
      'state',
      'ratio',
      '1M modelled, S3',
      'state',
      'ratio',
      'bits',
    ],
    rows,
  );
}

/** A few KB cross each cut. */
function smallTensorModels(folder: string): SmallTensorModel[] {
  const encoder = path.join(folder, 'encoder.onnx');
  writeTransformer(encoder, { layers: 6, hidden: 384, heads: 12, vocabulary: 30_522, sequence: 16 });
  return [
    {
      name: 'encoder, 6 layers of 384, 16 tokens',
      file: encoder,
      slices: 4,
      dimensions: {},
      input: { name: 'ids', dtype: 'int64', shape: [1, 16] },
    },
    {
      name: 'OCR classification',
      file: ocrModel('ch_ppocr_mobile_v2.0_cls_infer.onnx'),
      slices: 3,
      dimensions: {
        'p2o.DynamicDimension.0': 1,
        'p2o.DynamicDimension.1': 48,
        'p2o.DynamicDimension.2': 192,
      },
      input: { name: 'x', dtype: 'float32', shape: [1, 3, 48, 192] },
    },
  ];
}

async function compare(
  model: SmallTensorModel,
  machine: Machine,
  folder: string,
  { simulation, runs }: { readonly simulation: Simulation; readonly runs: number },
): Promise<string[]> {
  const ways = [false, true].map((tensorsInState) => ({
    outdir: fs.mkdtempSync(path.join(folder, 'assembly-')),
    tensorsInState,
  }));
  const { file: modelPath, slices, dimensions } = model;
  synthesize(
    ways.map((way) => ({
      ...way,
      ...{ modelPath, slices, dimensions },
      warmUp: 'never',
      stateMachineType: machine,
    })),
    path.join(folder, 'cache'),
  );
  const measured = ways.map((way) => new MeasuredWay(model, way.outdir, simulation));
  try {
    for (const way of measured) await way.start();
    for (let run = 0; run < runs; run++) for (const way of measured) await way.run();
  } finally {
    for (const way of measured) await way.close();
  }
  const [inS3, inState] = measured.map((way, index): Way => ({
    ...way.found(),
    perMillion: price(model, machine, ways[index].tensorsInState),
  }));
  const seconds = ({ ms }: Way): string => formatSpread(spread(ms.map((value) => value / 1000)), 2);
  const dollars = ({ perMillion }: Way): string => `$${perMillion.toFixed(2)}`;
  const isIdentical = new Set([...inS3.results, ...inState.results]).size === 1;
  return [
    ...[`${model.name}, ${slices} slices`, machine, `${inS3.objects}, ${inState.objects}`],
    ...[seconds(inS3), seconds(inState)],
    formatSpread(spread(inState.ms.map((ms, run) => ms / inS3.ms[run])), 2),
    ...[dollars(inS3), dollars(inState), (inState.perMillion / inS3.perMillion).toFixed(2)],
    isIdentical ? 'identical' : 'differ',
  ];
}

/** The warm runs of one deployment. */
class MeasuredWay {
  private readonly ms: number[] = [];
  private readonly results = new Set<string>();
  /** Those that slices wrote; a write may be repeated. */
  private readonly objects = new Set<string>();
  private deployment: Deployment | undefined;

  constructor(
    private readonly model: SmallTensorModel,
    private readonly assembly: string,
    private readonly simulation: Simulation,
  ) {}

  /** The first runs load the slices. */
  async start(): Promise<void> {
    this.deployment = await Deployment.start(this.model.name, this.assembly, benchInputs(this.model), {
      simulation: this.simulation,
      tls: true,
      onAccess: ({ action, resource }) => {
        if (action === 's3:PutObject' && /\/slice-\d+\.safetensors$/.test(resource))
          this.objects.add(resource);
      },
    });
    await this.deployment.run();
    await this.deployment.run();
    this.objects.clear();
  }

  async run(): Promise<void> {
    if (this.deployment === undefined) throw new Error('start the deployment first');
    const { ms, output } = await this.deployment.run();
    const { s3 } = (output as unknown as ExecutionOutput).outputs;
    if (s3 === undefined) throw new Error('a benchmark stores its results in S3');
    const bytes = await this.deployment.cloud.getObject(s3.key);
    this.results.add(createHash('sha256').update(bytes).digest('hex'));
    this.ms.push(ms);
  }

  found(): Omit<Way, 'perMillion'> {
    return { objects: this.objects.size / this.ms.length, ms: this.ms, results: this.results };
  }

  async close(): Promise<void> {
    await this.deployment?.close();
  }
}

function price({ file, dimensions, slices }: SmallTensorModel, machine: Machine, inState: boolean): number {
  const analyzed = analyzeModel(file, {
    dimensions,
    costs: { stateMachineType: machine, tensorsInState: inState, warmUp: false },
  });
  const cut = bestCut(analyzed.dataflow, analyzed.cuts, count(slices));
  return 1e6 * plannedRuns(analyzed, cut).plan.warm.dollars;
}
