import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Comparison, Differences } from '../../../../bin/plan/compare/comparison';
import { normalized } from '../../../support/command-models';
import { floats, mlp, modelOf, node, saveModel, temporaryFolder } from '../../../support/model-builder';
import { refuse, succeed } from '../../../support/run-cli';

const model = saveModel(mlp(4));
const A = [model, '--dimension', 'batch=1', '--slices', '3'];

async function differences(args: readonly string[], second: readonly string[] = []): Promise<Differences> {
  const flags = second.length > 0 ? ['--with', ...second] : [];
  return (JSON.parse(await succeed(['plan', ...args, '--json', ...flags])) as Comparison).differences;
}

/** Writes the slices of `A` and returns the path of their plan. */
async function written(folder: string, file = model): Promise<string> {
  const out = path.join(folder, 'slices');
  await succeed(['slice', file, ...A.slice(1), '--out', out]);
  return path.join(out, 'plan.json');
}

it('prints the verdict, both plans side by side, and what a deployment replaces', async () => {
  const output = await succeed(['plan', ...A, '--with', '--at-tensors', 't0', '--state-machine', 'standard']);
  const [verdict, head, settings, figures, cuts, functions, deployment, ...rest] = output.split('\n\n');
  expect(verdict.replaceAll('\n ', '')).toMatch(
    /^By the model of cost, B costs \$[\d.]+ more for a million mixed runs \(\+[\d.]+ %\) and takes [\d.]+ m?s (longer|less) at p50 \([+−][\d.]+ %\)\.$/,
  );
  expect(head.replaceAll('\n ', '')).toBe(
    `A: ${model}\nB: ${model} --at-tensors t0 --state-machine standard`,
  );
  expect(settings).toMatch(/\nstate machine +express +standard$/);
  expect(figures).toMatch(/^ +A +B +B − A\nslices +3 +2 +−1\n/);
  expect(figures).toMatch(/\np95, cold +[\d.]+ m?s +[\d.]+ m?s +[+−].* %\)$/);
  expect(cuts).toMatch(/^cuts: [01] in both plans, [12] only in A, [01] only in B\n/);
  expect(functions).toMatch(/\nslice-02 +[\d.]+ KB +– +[\d,]+ MB +– +removed$/);
  expect(deployment).toMatch(/\n- functions: 2 updated, 1 removed\n- state machine: replaced, /);
  expect(rest).toEqual([]);
  expect(output.split('\n').filter((line) => line.length > 100 && !line.includes(model))).toEqual([]);
});

it('says that two plans are the same', async () => {
  expect(await succeed(['plan', ...A, '--with', '--slices', '3'])).toMatch(/^Same plan: /);
  const found = await differences([...A, '--compare', await written(temporaryFolder())]);
  expect(found).toMatchObject({
    isSamePlan: true,
    settings: [],
    deployment: { uploadFiles: 0, stateMachine: 'unchanged' },
  });
});

it.each([
  ['a number of slices', ['--slices', '3'], ['--slices', '2'], 2],
  ['another way to cut', ['--slices', '3'], ['--at-tensors', 't0'], 2],
  ['a goal', ['--slices', '3'], ['--minimize', 'slices'], 1],
  ['a size', ['--slices', '3'], ['--dimension', 'batch=7'], 3],
])('flags after --with replace those before it: %s', async (_, first, second, slices) => {
  const { figures } = await differences([model, ...first], second);
  expect(figures[0]).toMatchObject({ name: 'slices', a: 3, b: slices, difference: slices - 3 });
});

it('the figures are those of both reports', async () => {
  const printed = await succeed(['plan', ...A, '--json', '--with', '--slices', '2']);
  const { a, b, differences: found } = JSON.parse(printed) as Comparison;
  expect(a.report).toEqual(JSON.parse(await succeed(['plan', ...A, '--json'])));
  const figure = found.figures.find(({ name }) => name === 'price of a million runs, mixed');
  expect(figure).toMatchObject({
    a: a.report?.run.mixed.dollarsPerMillion,
    b: b.report?.run.mixed.dollarsPerMillion,
  });
  expect(found.cuts.map((cut) => [cut.tensors, cut.a, cut.b])).toEqual([
    [['m1'], { slice: 0, bytes: 64 }, null],
    [['t1'], null, { slice: 0, bytes: 64 }],
    [['a2'], { slice: 1, bytes: 64 }, null],
  ]);
});

it('compares other graphs: of another model, optimized, and with operators in parts', async () => {
  const names = async (args: readonly string[], second: readonly string[] = []) =>
    (await differences(args, second)).settings.map(({ name }) => name);
  expect(await names([...A, '--compare', saveModel(mlp(5))])).toEqual(['nodes that are cut', 'graph']);
  const optimized = await names([saveModel(normalized()), '--slices', '2'], ['--optimize', 'extended']);
  expect(optimized).toEqual(['nodes that are cut', 'graph', 'graph optimization']);
  const layer = saveModel(
    modelOf([node('MatMul', ['x', 'weight'], ['y'])], { x: [2, 64] }, [floats('weight', [64, 4096])]),
  );
  expect(await names([layer], ['--max-slice-size', '600KB'])).toContain('operators in parts');
});

it('a plan file has the prices of its model in the folder above it, and without it its sizes', async () => {
  const folder = temporaryFolder();
  const other = saveModel(mlp(4), 'model.onnx', folder);
  const plan = await written(folder, other);
  const withPrices = await differences([plan], ['--no-warm-up']);
  expect(withPrices.verdict).toMatch(/^By the model of cost, B costs/);
  fs.rmSync(other);
  const output = await succeed(['plan', plan, '--compare', saveModel(mlp(2)), '--with', '--slices', '2']);
  expect(output).toMatch(
    /^A has 3 slices and B 2; the largest function has 512 MB in A and 512 MB in B\.\n? +Prices and times need both models\.\n/,
  );
  expect(output).toMatch(/\np50, mixed +– +[\d.]+ m?s\n/);
  expect(output.replaceAll('\n  ', ' ')).toContain('has no prices and times, because its model is not found');
});

it.each<[string, string[], string]>([
  ['nothing after --with', ['--with'], 'got nothing: add a flag, such as --slices 5, or leave --with out'],
  ['a second --with', ['--with', '--slices', '2', '--with'], 'got a second --with: pass --with once'],
  [
    '--json after --with',
    ['--with', '--json'],
    "got '--json': check its name, and put flags of the comparison",
  ],
  ['another model after --with', ['--with', 'b.onnx'], "got 'b.onnx': pass the second model with --compare"],
  ['a bad value after --with', ['--with', '--slices', 'x'], "argument 'x' is invalid"],
  [
    '--report',
    ['--report', 'r.html', '--with', '--slices', '2'],
    '--report must be of one plan, got a comparison',
  ],
  [
    'a missing plan',
    ['--compare', 'missing.json'],
    "plan 'missing.json' must be a readable file, got no such file",
  ],
])('refuses %s', async (_, args, message) => {
  expect(await refuse(['plan', model, ...args])).toContain(message);
});

it('refuses flags that a plan file decides, and a plan file that is none', async () => {
  const plan = await written(temporaryFolder());
  expect(await refuse(['plan', plan, '--slices', '2', '--compare', model])).toMatch(
    /^plan file .* decides its cuts, sizes and optimization itself, got --slices: pass the model instead/,
  );
  fs.writeFileSync(plan, fs.readFileSync(plan, 'utf8').replace('"memoryMb": ', '"memoryMb": 1'));
  fs.writeFileSync(plan, fs.readFileSync(plan, 'utf8').replace('slice-00.onnx', '../../x.onnx'));
  expect(await refuse(['plan', model, '--compare', plan])).toContain('slices[0].model.file of plan');
});
