import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Comparison } from '../../../../bin/plan/compare/comparison';
import { normalized } from '../../../support/command-models';
import {
  floats,
  mlp,
  modelOf,
  node,
  retrained,
  saveModel,
  temporaryFolder,
} from '../../../support/model-builder';
import { refuse, succeed } from '../../../support/run-cli';

const model = saveModel(mlp(4));
const A = [model, '--dimension', 'batch=1', '--slices', '3'];

async function compared(args: readonly string[]): Promise<Comparison> {
  return JSON.parse(await succeed(['plan', ...args, '--json'])) as Comparison;
}

/** Writes the slices of a model, by default those of `A`, into a folder beside it, and returns the path of their plan. */
async function written(file = model): Promise<string> {
  const out = path.join(path.dirname(file), 'slices');
  await succeed(['slice', file, ...A.slice(1), '--out', out]);
  return path.join(out, 'plan.json');
}

it('prints the verdict and both plans side by side', async () => {
  const plan = await written();
  const flags = ['--dimension', 'batch=1', '--at-tensors', 't0'];
  const output = await succeed(['plan', plan, '--compare', model, ...flags]);
  expect(output.split('\n').filter((line) => line.length > 88 && !line.includes(model))).toEqual([]);
  const [verdict, head, figures, ...rest] = output.replaceAll('\n  ', ' ').split('\n\n');
  expect(verdict).toMatch(
    /^By the model of cost, a million mixed runs cost \$[\d.]+ with A and \$[\d.]+ with B(?: \([+−][\d.]+ %\))?, and the p50 of a run is [\d.]+ m?s with A and [\d.]+ m?s with B(?: \([+−][\d.]+ %\))?\.$/,
  );
  expect(output).not.toMatch(/\d\n {2}(?:%|ms|KB)/);
  expect(head).toBe(`A: ${plan}\nB: ${model}`);
  expect(figures).toMatch(
    /A +B +B − A\nslices +3 +2 +−1\n(.*\n)+one function: p50, cold +[\d.]+ m?s +[\d.]+ m?s.*\n$/,
  );
  expect(rest).toEqual([]);
});

it('says that two plans are the same', async () => {
  const plan = await written();
  const output = await succeed(['plan', plan, '--compare', plan]);
  expect(output.replaceAll('\n  ', ' ')).toBe(
    `Same plan: the cuts and all figures are equal. The slice files are equal too.\n\nA: ${plan}\nB: ${plan}\n`,
  );
  const { differences } = await compared([...A, '--compare', plan]);
  expect(differences).toMatchObject({ isSamePlan: true, settings: [] });
});

it('prints the settings that differ of plans with equal figures, and says whether weights are compared', async () => {
  const other = saveModel(retrained(mlp(4)), 'retrained.onnx');
  const [plan, otherPlan] = [await written(), await written(other)];
  const table = /\nsettings that differ +A +B\nmodel file +model\.onnx +retrained\.onnx\n$/;
  for (const [args, weights] of [
    [[...A, '--compare', other], 'Weights are not compared: only two plan files have their digests.'],
    [[plan, '--compare', otherPlan], 'The slice files, which hold the weights, differ.'],
  ] as const) {
    const output = await succeed(['plan', ...args]);
    const [verdict] = output.replaceAll('\n  ', ' ').split('\n\n');
    expect(verdict).toBe(`Same plan: the cuts and all figures are equal. ${weights}`);
    expect(output).toMatch(table);
    expect((await compared(args)).differences.isSamePlan).toBe(true);
  }
});

it.each([
  ['a number of slices', ['--slices', '2'], 2],
  ['another way to cut', ['--at-tensors', 't0'], 2],
  ['a goal', ['--minimize', 'slices'], 1],
  ['another size', ['--slices', '3', '--dimension', 'batch=7'], 3],
])('flags are those of the model, not of the plan file: %s', async (_, flags, slices) => {
  const { a, differences } = await compared([await written(), '--compare', model, ...flags]);
  expect(differences.figures[0]).toMatchObject({ name: 'slices', a: 3, b: slices, difference: slices - 3 });
  expect(a.report.model.dimensions).toMatchObject([{ name: 'batch', size: 1 }]);
});

it('compares what both reports say', async () => {
  const plan = await written();
  const { a, b, differences } = await compared([...A, '--compare', model]);
  expect(a.report).toEqual(JSON.parse(await succeed(['plan', ...A, '--json'])));
  expect(b).toEqual(a);
  expect(differences.isSamePlan).toBe(true);
  const other = await compared([plan, '--compare', model, '--slices', '2', '--dimension', 'batch=1']);
  const price = other.differences.figures.find(({ name }) => name === 'price of a million runs, mixed');
  const prices = [other.a, other.b].map(({ report }) => report.run.mixed.dollarsPerMillion);
  expect([price?.a, price?.b]).toEqual(prices);
});

it('compares one function for each model, beside its slices', async () => {
  const larger = saveModel(mlp(40), 'larger.onnx');
  const { a, b, differences } = await compared([...A, '--compare', larger]);
  const [ofA, ofB] = [a, b].map(({ report }) => report.alternatives.find(({ id }) => id === 'one-function'));
  const figure = (name: string) => differences.figures.find((own) => own.name === `one function: ${name}`);
  const warm = { a: ofA?.warm?.p50, b: ofB?.warm?.p50 };
  expect(figure('p50, warm')).toMatchObject(warm);
  expect(warm.b).toBeGreaterThan(warm.a ?? Infinity);
  const dollars = { a: ofA?.warm?.dollarsPerMillion, b: ofB?.warm?.dollarsPerMillion };
  expect(figure('price of a million calls, warm')).toMatchObject(dollars);
  expect(figure('memory')).toMatchObject({ a: ofA?.memoryMb, b: ofB?.memoryMb });
});

it('counts the function of the whole model', async () => {
  const args = [...A, '--compare', await written()];
  const { differences } = await compared([...args, '--consolidation', 'always']);
  const memory = { name: 'memory of all functions', a: 2048, b: 2048 };
  expect(differences.figures).toContainEqual(expect.objectContaining(memory));
});

it('compares other graphs: of another model, optimized, and with operators in parts', async () => {
  const settings = async (args: readonly string[]) =>
    (await compared(args)).differences.settings.map(({ name }) => name);
  expect(await settings([...A, '--compare', saveModel(mlp(5))])).toEqual(['nodes that are cut', 'graph']);
  const sliced = async (file: string, ...flags: readonly string[]): Promise<string> => {
    const out = path.join(path.dirname(file), 'slices');
    await succeed(['slice', file, ...flags, '--out', out]);
    return path.join(out, 'plan.json');
  };
  const plain = saveModel(normalized());
  const plan = await sliced(plain, '--slices', '2');
  const optimized = await settings([plan, '--compare', plain, '--slices', '2', '--optimize', 'extended']);
  expect(optimized).toEqual(['nodes that are cut', 'graph', 'graph optimization']);
  const layer = [node('MatMul', ['x', 'weight'], ['y'])];
  const split = saveModel(modelOf(layer, { x: [2, 64] }, [floats('weight', [64, 4096])]));
  const whole = await sliced(split, '--slices', '1');
  expect(await settings([whole, '--compare', split, '--max-slice-size', '600KB'])).toContain(
    'operators in parts',
  );
});

it('a plan file has the prices of its model in the folder above it', async () => {
  const plan = await written();
  const { a, differences } = await compared([plan, '--compare', model, '--no-warm-up', '--slices', '2']);
  expect(differences.verdict).toMatch(/^By the model of cost, a million/);
  expect(a.report.model.file).toBe(path.basename(model));
});

it.each<[string, string[], string]>([
  [
    '--report',
    ['--report', 'r.html', '--compare', 'b.onnx'],
    "'--compare <model>' cannot be used with option '--report <file>'",
  ],
  [
    'a missing plan',
    ['--compare', 'missing.json'],
    "plan 'missing.json' must be a readable file, got no such",
  ],
])('refuses %s', async (_, args, message) => {
  expect(await refuse(['plan', model, ...args])).toContain(message);
});

it.each([
  ['--max-slice-size', '1MB'],
  ['--dimension', 'batch=1'],
  ['--optimize', 'none'],
  ['--split', 'w0=2'],
  ['--no-split-large-operators'],
])('refuses for two plan files what each has of its own: %s', async (...flags) => {
  const plan = await written();
  expect(await refuse(['plan', plan, '--compare', plan, ...flags])).toBe(
    `plan files have their own cuts, sizes and optimization, got ${flags[0]}: leave it out, or pass a model`,
  );
});

it('refuses a plan file with another path or without its model', async () => {
  const plan = await written();
  const line = (...args: readonly string[]) => refuse(['plan', ...args, '--compare', model]);
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
