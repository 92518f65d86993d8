/** Whether splits make runs faster: by the model of cost, and in Lambda's simulated network, where all functions share this machine. */
import * as path from 'node:path';
import { SIMULATIONS } from '../../local';
import { analyzeModel } from '../../lib/compile/analyze';
import { cutModel } from '../../lib/compile/fit-by-splits';
import type { SlicePlan } from '../../lib/plan/file/plan';
import { plannedRuns } from '../../lib/plan/pricing/plan-runs';
import { MEMORY_MB_PER_VCPU } from '../../lib/plan/sizes/lambda-quotas';
import { fromPlan } from '../../lib/plan/slicers';
import { rangesOf } from '../../lib/split/split';
import { deploy, type Deployment } from '../deployment';
import { formatSpread } from '../measure';
import { sliceModel, synthesize } from '../synthesize';
import { type LayerModel, ModelFile } from './model-file';
import { SUBJECTS } from './models';

export const SPEED_HEAD = [
  ...['model', 'plan', 'slices', 'largest MB', 'warm ms', 'cold ms', '$ a million warm', 'cold'],
  ...['simulated warm ms', 'cold', 'cold, to the last plan'],
];

const ROUNDS = 3;
const PARTS = [8, 4, 2, 1];

/** By name: flags of `sliced-inference slice`. */
type Plans = Readonly<Record<string, readonly string[]>>;

interface Subject {
  readonly title: string;
  readonly model: LayerModel;
  readonly plans: Plans;
}

/** A model whose table is split beside its fastest plan without splits, and layers that fit in several parts. */
export const SPEED: Readonly<Record<string, (folder: string) => Promise<string[][]>>> = {
  table: (folder) => {
    const plans = {
      'parts of 128 MB': SUBJECTS['xlm-r'].limit,
      'no splits': ['--no-split-large-operators', '--minimize', 'latency', '--temperature', 'cold'],
    };
    const model = SUBJECTS['xlm-r'].write(path.join(folder, 'model'));
    return measure(folder, { title: 'XLM-RoBERTa base', model, plans });
  },
  dense: (folder) => {
    const model = SUBJECTS.vgg.write(path.join(folder, 'model'));
    const { nodes, values } = analyzeModel(model.file).model.graph;
    const [{ name, inputs }] = nodes.filter(({ opType }) => opType === 'Gemm');
    return measure(folder, {
      title: 'VGG-19, dense',
      model,
      plans: forks(model, name, values[inputs[0]].name),
    });
  },
  // The last layer of XLM-RoBERTa, for one token.
  projection: (folder) => {
    const file = new ModelFile(path.join(folder, 'model'));
    const before = file.node('Relu', [file.input('hidden', 'float32', [1, 768])]);
    const node = file.node('MatMul', [before, file.floats([768, 250_002], 0.04)]);
    const model = file.save('projection', file.node('Relu', [node]));
    return measure(folder, { title: 'projection', model, plans: forks(model, node, before) });
  },
};

/** Cuts before the layer and between its parts; the last slice has the last part and all that follows. */
function forks(model: LayerModel, node: string, before: string): Plans {
  const entries = PARTS.map((count) => {
    const { splits } = analyzeModel(model.file, { splits: { named: { [node]: count } } }).splitting;
    const ranges = rangesOf(splits.at(0)?.parts ?? []).slice(0, -1);
    const tensors = [before, ...ranges.map(({ start, end }) => `${node}[${start}:${end}]`)];
    return [`parts: ${count}`, ['--split', `${node}=${count}`, '--at-tensors', tensors.join(',')]] as const;
  });
  return Object.fromEntries(entries);
}

async function measure(folder: string, { title, model, plans }: Subject): Promise<string[][]> {
  const deployed = Object.entries(plans).map(([name, flags], index) => {
    const [slices, outdir] = ['slices', 'assembly'].map((own) => path.join(folder, `${own}-${index}`));
    return { name, slices, outdir, plan: sliceModel(model, flags, slices) };
  });
  const memoryMb = MEMORY_MB_PER_VCPU;
  synthesize(...deployed.map(({ slices, outdir }) => ({ outdir, model, slices, memoryMb, warmUp: true })));
  const deployments: Deployment[] = [];
  const times = deployed.map(() => ({ warm: [] as number[], cold: [] as number[] }));
  try {
    for (const { outdir } of deployed)
      deployments.push(await deploy(model, outdir, { simulation: SIMULATIONS.aws }));
    // The first run compiles the code of the simulation.
    await deployments[0].run();
    for (let round = 0; round < ROUNDS; round++)
      for (const [index, deployment] of deployments.entries()) {
        await deployment.makeCold();
        for (const kind of ['cold', 'warm'] as const) times[index][kind].push((await deployment.run()).ms);
        await deployment.makeCold();
      }
  } finally {
    for (const deployment of deployments) await deployment.close();
  }
  return deployed.map(({ name, plan }, index) => {
    const { warm, cold } = times[index];
    const ratios = cold.map((ms, round) => ms / times[times.length - 1].cold[round]);
    const simulated = [formatSpread(warm, 0), formatSpread(cold, 0), formatSpread(ratios, 2)];
    const largest = Math.max(...plan.slices.map(({ weightBytes }) => weightBytes)) / 1e6;
    return [
      title,
      name,
      String(plan.slices.length),
      largest.toFixed(0),
      ...estimated(model, plan),
      ...simulated,
    ];
  });
}

/** With one vCPU for each function. */
function estimated(model: LayerModel, plan: SlicePlan): string[] {
  const { analyzed, cut } = cutModel(analyzeModel(model.file), fromPlan(plan, 'plan.json'));
  const memoryMb = cut.wiring.slices.map(() => MEMORY_MB_PER_VCPU);
  const settings = { memoryMb, threads: 1, transport: 's3-standard' } as const;
  const { warm, cold } = plannedRuns(analyzed, { ...cut, settings }).plan;
  const ms = [warm, cold].map(({ time }) => time.quantile(0.5).toFixed(0));
  return [...ms, ...[warm, cold].map(({ dollars }) => (dollars * 1e6).toFixed(2))];
}
