/** Cold runs in Lambda's simulated network: a model with a split table beside its fastest plan without splits. */
import * as path from 'node:path';
import { SIMULATIONS } from '../../local';
import { compileEstimated } from '../../lib/compile/compile';
import { fromPlan } from '../../lib/plan/slicers';
import { deploy, type Deployment } from '../deployment';
import { formatSpread } from '../measure';
import { sliceModel, synthesize } from '../synthesize';
import { SUBJECTS } from './models';

export const COLD_HEAD = [
  'XLM-RoBERTa base',
  'slices',
  'largest MB',
  's of a cold run',
  'ratio',
  's by the model of cost',
];

const ROUNDS = 3;

/** @returns the rows of the table */
export async function measureCold(folder: string): Promise<string[][]> {
  const model = SUBJECTS['xlm-r'].write(path.join(folder, 'model'));
  const flags = {
    'parts of 128 MB': SUBJECTS['xlm-r'].limit,
    'without splits': ['--no-split-large-operators', '--minimize', 'latency', '--temperature', 'cold'],
  };
  const subjects = Object.entries(flags).map(([title, slicing], index) => {
    const [slices, outdir] = ['slices', 'assembly'].map((name) => path.join(folder, `${name}-${index}`));
    return { title, slices, outdir, plan: sliceModel(model, slicing, slices) };
  });
  synthesize(...subjects.map(({ slices, outdir }) => ({ outdir, model, slices, warmUp: true })));
  const deployments: Deployment[] = [];
  const seconds: number[][] = subjects.map(() => []);
  try {
    for (const { outdir } of subjects)
      deployments.push(await deploy(model, outdir, { simulation: SIMULATIONS.aws }));
    // The first run compiles the code of the simulation.
    await deployments[0].run();
    for (let round = 0; round < ROUNDS; round++)
      for (const [index, deployment] of deployments.entries()) {
        await deployment.makeCold();
        seconds[index].push((await deployment.run()).ms / 1000);
        await deployment.makeCold();
      }
  } finally {
    for (const deployment of deployments) await deployment.close();
  }
  return subjects.map(({ title, plan }, index) => {
    const { estimates } = compileEstimated(model.file, fromPlan(plan, title));
    return [
      ...[title, String(plan.slices.length)],
      (Math.max(...plan.slices.map(({ weightBytes }) => weightBytes)) / 1e6).toFixed(0),
      formatSpread(seconds[index], 1),
      formatSpread(
        seconds[index].map((own, round) => own / seconds[1][round]),
        2,
      ),
      (estimates.cold.latency.p50 / 1000).toFixed(1),
    ];
  });
}
