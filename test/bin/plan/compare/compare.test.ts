import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Comparison } from '../../../../bin/plan/compare/comparison';
import { normalized } from '../../../support/command-models';
import { floats, mlp, modelOf, node, saveModel, temporaryFolder } from '../../../support/model-builder';
import { refuse, succeed } from '../../../support/run-cli';

const model = saveModel(mlp(4));
const A = [model, '--dimension', 'batch=1', '--slices', '3'];

async function compared(args: readonly string[], second: readonly string[] = []): Promise<Comparison> {
  const flags = second.length > 0 ? ['--with', ...second] : [];
  return JSON.parse(await succeed(['plan', ...args, ...flags, '--json'])) as Comparison;
}

/** Writes the slices of `A` into a folder beside the model, and returns the path of their plan. */
async function written(): Promise<string> {
  const out = path.join(path.dirname(model), 'slices');
  await succeed(['slice', ...A, '--out', out]);
  return path.join(out, 'plan.json');
}

it('prints the verdict, both plans side by side, and what a deployment replaces', async () => {
  const output = await succeed(['plan', ...A, '--with', '--at-tensors', 't0', '--state-machine', 'standard']);
  expect(output.split('\n').filter((line) => line.length > 88 && !line.includes(model))).toEqual([]);
  const [verdict, head, settings, figures, cuts, functions, deployment, ...rest] = output
    .replaceAll('\n  ', ' ')
    .split('\n\n');
  expect(verdict).toMatch(
    /^By the model of cost, a million mixed runs cost \$[\d.]+ with A and \$[\d.]+ with B \(\+[\d.]+ %\), and the p50 of a run is [\d.]+ m?s with A and [\d.]+ m?s with B \([+−][\d.]+ %\)\. A deployment of B over A uploads 3 files, [\d.]+ KB\.$/,
  );
  const flags = '--dimension batch=1 --at-tensors t0 --state-machine standard';
  expect(output).not.toMatch(/\d\n {2}(?:%|ms|KB)/);
  expect(head).toBe(`A: ${model} --dimension batch=1 --slices 3\nB: ${model} ${flags}`);
  expect(settings).toMatch(/\nstate machine +express +standard\n/);
  expect(figures).toMatch(
    /A +B +B − A\nslices +3 +2 +−1\n(.*\n)+p95, cold +[\d.]+ m?s +[\d.]+ m?s +[+−].* %\)$/,
  );
  expect(cuts).toMatch(/^cuts: 0 in both plans, 2 only in A, 1 only in B\n(.*\n)+a2 +1: 64 B +–$/);
  expect(functions).toMatch(/\nslice-02 +[\d.]+ KB +– +512 MB +– +removed$/);
  expect(deployment).toMatch(/\n- functions: 2 updated, 1 removed\n- state machine: replaced, /);
  expect(rest).toEqual([]);
});

it('says that two plans are the same', async () => {
  expect(await succeed(['plan', ...A, '--with', '--slices', '3'])).toMatch(/^Same plan: /);
  const { differences } = await compared([...A, '--compare', await written()]);
  expect(differences).toMatchObject({ isSamePlan: true, settings: [], deployment: { uploadFiles: 0 } });
});

it.each([
  ['a number of slices', ['--slices', '2'], 2],
  ['another way to cut', ['--at-tensors', 't0'], 2],
  ['a goal', ['--minimize', 'slices'], 1],
  ['a size', ['--dimension', 'batch=7'], 3],
])('flags after --with replace those before it: %s', async (_, second, slices) => {
  const { differences } = await compared([model, '--slices', '3'], second);
  expect(differences.figures[0]).toMatchObject({ name: 'slices', a: 3, b: slices, difference: slices - 3 });
});

it('writes the flags and limits that are in effect', async () => {
  const limits = ['--max-latency', '12345ms', '--max-memory', '1.5GB'];
  const { a, b, differences } = await compared([model, ...limits], ['--max-slice-size', '40001B']);
  const flags = [['--max-latency 12345ms', '--max-memory 1536'], ['--max-slice-size 40001B']];
  expect([a.flags, b.flags]).toEqual(flags);
  const name = 'most memory of a function';
  expect(differences.settings).toContainEqual({ name, a: '1536 MB', b: '–' });
});

it('compares what both reports say', async () => {
  const { a, b, differences } = await compared(A, ['--slices', '2']);
  expect(a.report).toEqual(JSON.parse(await succeed(['plan', ...A, '--json'])));
  const consolidated = await compared(A, ['--consolidation', 'always']);
  const memory = { name: 'memory of all functions', a: 1536, b: 2048 };
  expect(consolidated.differences.figures).toContainEqual(expect.objectContaining(memory));
  const price = differences.figures.find(({ name }) => name === 'price of a million runs, mixed');
  expect([price?.a, price?.b]).toEqual([a, b].map(({ report }) => report.run.mixed.dollarsPerMillion));
  expect(differences.cuts).toEqual([
    { tensors: ['m1'], a: { slice: 0, bytes: 64 }, b: null },
    { tensors: ['t1'], a: null, b: { slice: 0, bytes: 64 } },
    { tensors: ['a2'], a: { slice: 1, bytes: 64 }, b: null },
  ]);
});

it('compares other graphs: of another model, optimized, and with operators in parts', async () => {
  const settings = async (args: readonly string[], second: readonly string[] = []) =>
    (await compared(args, second)).differences.settings.map(({ name }) => name);
  expect(await settings([...A, '--compare', saveModel(mlp(5))])).toEqual(['nodes that are cut', 'graph']);
  const optimized = await settings([saveModel(normalized()), '--slices', '2'], ['--optimize', 'extended']);
  expect(optimized).toEqual(['nodes that are cut', 'graph', 'graph optimization']);
  const layer = [node('MatMul', ['x', 'weight'], ['y'])];
  const split = saveModel(modelOf(layer, { x: [2, 64] }, [floats('weight', [64, 4096])]));
  expect(await settings([split], ['--max-slice-size', '600KB'])).toContain('operators in parts');
});

it('a plan file has the prices of its model in the folder above it', async () => {
  const plan = await written();
  const { a, differences } = await compared([plan], ['--no-warm-up']);
  expect(differences.verdict).toMatch(/^By the model of cost, a million/);
  expect(a.report.model.file).toBe(path.basename(model));
});

const DESCRIBE = '--with must be followed by flags that describe the second plan, got';

it.each<[string, string[], string]>([
  ['nothing after --with', ['--with'], `${DESCRIBE} nothing: put other flags before --with`],
  ['a second --with', ['--with', '--slices', '2', '--with'], `${DESCRIBE} '--with': `],
  ['a model after --with', ['--with', 'b.onnx'], `${DESCRIBE} 'b.onnx': `],
  ['a bad value after --with', ['--with', '--slices', 'x'], "argument 'x' is invalid"],
  ['--report', ['--report', 'r.html', '--with', '--slices', '2'], '--report must be of one plan, got a comp'],
  ['a second --compare', ['--compare', 'b.onnx', '--compare', 'c.onnx'], "'c.onnx' is invalid. It is the "],
  [
    'a missing plan',
    ['--compare', 'missing.json'],
    "plan 'missing.json' must be a readable file, got no such",
  ],
])('refuses %s', async (_, args, message) => {
  expect(await refuse(['plan', model, ...args])).toContain(message);
});

it('refuses flags that a plan file decides, and a plan file with another path or without its model', async () => {
  const plan = await written();
  const line = (...args: readonly string[]) => refuse(['plan', ...args, '--compare', model]);
  expect(await line(plan, '--max-slice-size', '1MB')).toMatch(
    /^plan file .* decides its cuts, sizes and optimization itself, got --max-slice-size: pass the model instead/,
  );
  const bad = path.join(path.dirname(plan), 'bad.json');
  const far = path.join(temporaryFolder(), 'plan.json');
  const text = fs.readFileSync(plan, 'utf8');
  fs.writeFileSync(bad, text.replace('slice-00.onnx', '../../x.onnx'));
  expect(await line(bad)).toContain('slices[0].model.file of plan');
  fs.writeFileSync(far, text);
  expect(await line(far)).toMatch(
    /^plan file .* in a folder beside the model, got no '.*\.onnx' there: copy the model or a link to it/,
  );
});
