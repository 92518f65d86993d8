/** Whether it pays to split a layer that fits: what the model of cost says, and runs in Lambda's simulated network. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { SIMULATIONS } from '../../local';
import { analyzeModel } from '../../lib/compile/analyze';
import { cutModel } from '../../lib/compile/fit-by-splits';
import { plannedRuns } from '../../lib/plan/pricing/plan-runs';
import { atTensors } from '../../lib/plan/slicers';
import { rangesOf } from '../../lib/split/split';
import { deploy } from '../deployment';
import { formatSpread } from '../measure';
import { sliceModel, synthesize } from '../synthesize';
import { type LayerModel, ModelFile } from './model-file';
import { SUBJECTS } from './models';

export const FORKS_HEAD = [
  ...['layer', 'parts', 'MB of a function', 'warm ms', 'cold ms', 'warm $ a million', 'cold $ a million'],
  ...['simulated warm ms', 'simulated cold ms'],
];

const MEMORY_MB = [1769, 3008];
const PARTS = [1, 2, 4, 8];
const ROUNDS = 3;

interface Layer {
  readonly title: string;
  readonly node: string;
  /** The value before the layer, where the slices before it end. */
  readonly before: string;
  readonly model: LayerModel;
}

/** @returns the rows of the table */
export async function measureForks(folder: string): Promise<string[][]> {
  const rows: string[][] = [];
  for (const layer of [dense(path.join(folder, 'dense')), projection(path.join(folder, 'projection'))])
    for (const parts of PARTS) {
      const simulated = await simulate(folder, layer, parts);
      for (const memoryMb of MEMORY_MB)
        rows.push([
          layer.title,
          String(parts),
          String(memoryMb),
          ...estimated(layer, parts, memoryMb),
          ...simulated,
        ]);
    }
  return rows;
}

function dense(folder: string): Layer {
  const model = SUBJECTS.vgg.write(folder);
  const { nodes, values } = analyzeModel(model.file).model.graph;
  const node = nodes.find(({ opType }) => opType === 'Gemm');
  if (node === undefined) throw new Error('the model has no dense layer');
  return { title: 'VGG-19, dense of 411 MB', node: node.name, before: values[node.inputs[0]].name, model };
}

/** The last layer of XLM-RoBERTa for one token. */
function projection(folder: string): Layer {
  const file = new ModelFile(folder);
  const before = file.node('Relu', [file.input('hidden', 'float32', [1, 768])]);
  const node = file.node('MatMul', [before, file.floats([768, 250_002], 0.04)]);
  return {
    title: 'projection of 768 MB',
    node,
    before,
    model: file.save('projection', file.node('Relu', [node])),
  };
}

/** Cuts before the layer and between its parts; the last slice has the last part and all that follows. */
function cutsOf({ node, before, model }: Layer, count: number) {
  const analyzed = analyzeModel(model.file, { splits: { named: { [node]: count } } });
  const ranges = rangesOf(analyzed.splitting.splits.at(0)?.parts ?? []);
  const tensors = [before, ...ranges.slice(0, -1).map(({ start, end }) => `${node}[${start}:${end}]`)];
  return { analyzed, tensors };
}

function estimated(layer: Layer, parts: number, memoryMb: number): string[] {
  const { analyzed, tensors } = cutsOf(layer, parts);
  const { cut } = cutModel(analyzed, atTensors(tensors));
  const memory = cut.wiring.slices.map(() => memoryMb);
  const settings = {
    memoryMb: memory,
    threads: analyzed.cuts.costs.threads(memoryMb),
    transport: 's3-standard',
  } as const;
  const { warm, cold } = plannedRuns(analyzed, { ...cut, settings }).plan;
  const ms = [warm, cold].map(({ time }) => time.quantile(0.5).toFixed(0));
  return [...ms, ...[warm, cold].map(({ dollars }) => (dollars * 1e6).toFixed(2))];
}

async function simulate(folder: string, layer: Layer, parts: number): Promise<string[]> {
  const own = fs.mkdtempSync(path.join(folder, 'fork-'));
  const [slices, outdir] = ['slices', 'assembly'].map((name) => path.join(own, name));
  const { tensors } = cutsOf(layer, parts);
  const flags = ['--split', `${layer.node}=${parts}`, '--at-tensors', tensors.join(',')];
  sliceModel(layer.model, flags, slices);
  synthesize({ outdir, model: layer.model, slices, memoryMb: MEMORY_MB[0], warmUp: true });
  const deployment = await deploy(layer.model, outdir, { simulation: SIMULATIONS.aws });
  const [warm, cold]: number[][] = [[], []];
  try {
    await deployment.run();
    for (let round = 0; round < ROUNDS; round++) {
      await deployment.makeCold();
      cold.push((await deployment.run()).ms);
      warm.push((await deployment.run()).ms);
    }
  } finally {
    await deployment.close();
    fs.rmSync(own, { recursive: true });
  }
  return [warm, cold].map((times) => formatSpread(times, 0));
}
