/** What `plan --json` prints, beside a second formula that reads the plan, the template and the price list. */
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { analyzeFast } from '../support/inference/fast-analysis';
import { FLOAT, saveModel, value } from '../support/model-builder';
import { graphOf } from '../support/graph-text';
import { saveSparse } from '../support/sparse-model';
import { twoTowers } from '../support/towers';
import { type Accounts, accountsOf, consolidatedAccounts } from './account';
import { readDeployment } from './deployment';
import { type Asked, planned } from './planned';

analyzeFast();

/** Products of rows with weights of `width` squared, each with a Tanh. */
function chain(products: number, rows: number, width: number): string {
  const steps = Array.from({ length: products }, (_, at) => {
    const [from, to] = [at === 0 ? 'x' : `t${at - 1}`, at === products - 1 ? 'y' : `t${at}`];
    return `MatMul ${from} w${at} > m${at}; Tanh m${at} > ${to}`;
  });
  const graph = graphOf(steps.join('; '), {
    input: [value('x', FLOAT, [rows, width])],
    output: [value('y', FLOAT, [rows, width])],
  });
  return saveSparse(graph, new Map(steps.map((_, at) => [`w${at}`, [width, width]])));
}

/** Every product but the first reads two tensors; an early result, and a second input that only the end reads. */
function skips(rows: number, width: number): string {
  const graph = graphOf(
    `MatMul x w0 > a; Tanh a > b; MatMul b w1 > c; Add c x > d; MatMul d w2 > e; Add e b > f; MatMul f w3 > g;
     Add g late > y`,
    {
      input: ['x', 'late'].map((name) => value(name, FLOAT, [rows, width])),
      output: ['y', 'd'].map((name) => value(name, FLOAT, [rows, width])),
    },
  );
  return saveSparse(graph, new Map([0, 1, 2, 3].map((at) => [`w${at}`, [width, width]])));
}

/** The last slice writes 32 MiB and reads 4 KiB. */
function widening(): string {
  const graph = graphOf('MatMul x w0 > a; MatMul a w1 > y', {
    input: [value('x', FLOAT, [64, 16])],
    output: [value('y', FLOAT, [64, 131_072])],
  });
  return saveSparse(
    graph,
    new Map([
      ['w0', [16, 16]],
      ['w1', [16, 131_072]],
    ]),
  );
}

const LARGE = chain(4, 32, 2048);
const SMALL = chain(4, 2, 512);
const SKIPS = skips(64, 1024);
const TOWERS = saveModel({ graph: twoTowers(256) });

const standard = { stateMachineType: 'standard' } as const;
const cases: readonly (readonly [name: string, asked: Asked])[] = [
  ['a chain, Express', { model: LARGE, slices: 4 }],
  ['a chain, Express, without warm-ups', { model: LARGE, slices: 4, costs: { warmUp: false } }],
  ['a chain, Standard, with warm-ups', { model: LARGE, slices: 3, costs: { ...standard, warmUp: true } }],
  ['a chain, Standard, without warm-ups', { model: LARGE, slices: 3, costs: { ...standard, warmUp: false } }],
  ['S3 Express One Zone', { model: LARGE, slices: 4, isExpressStore: true }],
  ['arm64', { model: LARGE, slices: 2, costs: { architecture: 'arm64' } }],
  [
    'a VPC',
    {
      model: LARGE,
      slices: 2,
      costs: { networkInVpc: true },
      props: (stack) => ({ vpc: new ec2.Vpc(stack, 'Vpc') }),
    },
  ],
  ['small tensors in the state, Express', { model: SMALL, slices: 4 }],
  ['small tensors in the state, Standard', { model: SMALL, slices: 3, costs: standard }],
  ['small tensors in S3', { model: SMALL, slices: 4, costs: { tensorsInState: false } }],
  [
    'an inline request and result',
    { model: SMALL, slices: 2, costs: { request: 'inline', result: 'inline' } },
  ],
  [
    'an inline request, Standard',
    { model: SMALL, slices: 2, costs: { ...standard, request: 'inline', result: 'inline' } },
  ],
  ['skip connections and an early result', { model: SKIPS, slices: 4 }],
  ['skip connections, S3 Express One Zone', { model: SKIPS, slices: 3, isExpressStore: true }],
  ['a result that is much larger than the request', { model: widening(), slices: 2 }],
  ['branches', { model: TOWERS, slices: 5 }],
  [
    'branches, Standard, without warm-ups',
    { model: TOWERS, slices: 5, costs: { ...standard, warmUp: false } },
  ],
  [
    'branches, S3 Express One Zone',
    { model: TOWERS, slices: 5, isExpressStore: true, costs: { tensorsInState: false } },
  ],
  ['consolidation, Express', { model: LARGE, slices: 3, isConsolidated: true }],
  ['consolidation, Standard', { model: SMALL, slices: 2, isConsolidated: true, costs: standard }],
];

const TOLERANCE = { dollars: 0.01, meanMs: 0.01, p50: 0.02, p95: 0.02 };
const GRID_MS = 2;

test.each(cases)('%s: dollars and times are those of the second formula', (_, asked) => {
  const { report, means, plan, whole, template } = planned(asked);
  const deployment = readDeployment(template);
  const { costs = {}, isExpressStore = false } = asked;
  const choices = {
    coreSeconds: report.slices.map(({ coreSeconds }) => coreSeconds),
    // All weights are those of products.
    productWeights: report.slices.map(({ weightBytes }) => weightBytes),
    isExpress: deployment.isExpress,
    store: isExpressStore ? ('express' as const) : ('standard' as const),
    isRequestInline: costs.request === 'inline',
    isResultInline: costs.result === 'inline',
    betweenDays: deployment.days['runs/'] ?? 1,
    outputDays: deployment.days['outputs/'],
  };
  const own: Accounts = whole
    ? consolidatedAccounts(plan, deployment, choices, {
        ...whole,
        productWeights: report.slices.reduce((sum, { weightBytes }) => sum + weightBytes, 0),
      })
    : accountsOf(plan, deployment, choices);
  const runs = (report.consolidation ?? report).run;
  const rows = (['warm', 'cold'] as const).map((kind) => {
    const { dollarsPerMillion, p50, p95 } = runs[kind];
    const theirs = { dollars: dollarsPerMillion / 1e6, meanMs: means[kind], p50, p95 };
    return Object.fromEntries(
      Object.entries(theirs).map(([name, number]) => {
        const mine = own[kind][name as keyof typeof theirs];
        const near = Math.max(
          TOLERANCE[name as keyof typeof theirs] * mine,
          name === 'dollars' ? 0 : GRID_MS,
        );
        return [
          name,
          Math.abs(number - mine) <= near ? 'near' : { printed: number, mine, ratio: number / mine },
        ];
      }),
    );
  });
  const near = { dollars: 'near', meanMs: 'near', p50: 'near', p95: 'near' };
  expect(rows).toEqual([near, near]);
});
