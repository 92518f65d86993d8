/**
 * `npm run bench:processors`: runs models, and random operators, in programs that behave like `node` on other processors, and counts whose
 * results have the same bits. `node bench/processors/emulated-node.mjs FOLDER` writes such programs for arm64.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { decodeSafetensors, encodeSafetensors } from '../../lambda/tensors/safetensors';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { describeMachine, folderOption, inOwnFolder, numberOption, print } from '../harness';
import { formatTable } from '../measure';
import { Random } from '../split/random';
import { KINDS, randomOperator } from '../split/random-operator';
import { plainOperator, PLAIN_KINDS } from './plain-operator';
import { differenceOf, type Tensors } from './difference';
import type { Job } from './run-child';
import { runnableInputs } from './seeded-inputs';

/** By name of a processor: a program that behaves like `node` on it. */
type Programs = Readonly<Record<string, string>>;

interface Options {
  readonly node: Programs;
  readonly models?: string;
  readonly seed: number;
  readonly cases: number;
  readonly elements: number;
  readonly seconds: number;
  readonly folder: string;
}

interface Subject {
  readonly name: string;
  readonly model: string;
  readonly inputs: ReadonlyMap<string, RawTensor>;
}

/** By processor: what a subject returned; `undefined` if it took too long or failed. */
type Results = ReadonlyMap<string, Tensors | undefined>;

async function main(folder: string, options: Options): Promise<void> {
  const { node, models, seed, cases, elements } = options;
  print(`${describeMachine()}; seed ${seed}; processors ${Object.keys(node).join(', ')}`);
  if (models !== undefined) {
    const names = fs.readdirSync(models, { recursive: true, encoding: 'utf8' });
    const all = new Map<string, Results>();
    for (const name of names.filter((each) => each.endsWith('.onnx')).sort()) {
      const model = path.join(models, name);
      const inputs = await runnableInputs(model, seed);
      const [results] = runAll([{ name, model, inputs }], folder, options);
      all.set(name, results);
    }
    printModels(all, Object.keys(node));
  }
  const rows = [...Object.keys(KINDS), ...PLAIN_KINDS].map((kind) => {
    const subjects = Array.from({ length: cases }, (_, index): Subject => {
      const random = new Random(seed + index);
      const isPlain = PLAIN_KINDS.includes(kind);
      const { model, x } = isPlain ? plainOperator(kind, random) : randomOperator(kind, random, elements);
      const file = path.join(folder, `operator-${index}.onnx`);
      fs.writeFileSync(file, model);
      return { name: kind, model: file, inputs: new Map([['x', x]]) };
    });
    const results = runAll(subjects, folder, options);
    return [kind, ...pairsOf(Object.keys(node)).map((pair) => countOf(results, pair))];
  });
  print('operators with other bits, and their largest relative difference');
  print(formatTable(['operator', ...pairsOf(Object.keys(node)).map((pair) => pair.join(' / '))], rows));
}

/** The results by subject. */
function runAll(subjects: readonly Subject[], folder: string, { node, seconds }: Options): Results[] {
  const file = (name: string, index: number): string => path.join(folder, `${name}-${index}.safetensors`);
  subjects.forEach(({ inputs }, index) => {
    fs.writeFileSync(file('inputs', index), encodeSafetensors(inputs));
  });
  const jobs = path.join(folder, 'jobs.json');
  const found = subjects.map(() => new Map<string, Tensors | undefined>());
  for (const [name, program] of Object.entries(node)) {
    const all = subjects.map(({ model }, index): Job => {
      fs.rmSync(file('outputs', index), { force: true });
      return { model, inputs: file('inputs', index), outputs: file('outputs', index) };
    });
    fs.writeFileSync(jobs, JSON.stringify(all));
    const { status, signal, stderr } = spawnSync(program, [path.join(__dirname, 'run-child.js'), jobs], {
      timeout: seconds * 1000,
      killSignal: 'SIGKILL',
      encoding: 'utf8',
    });
    if (status !== 0) print(`${subjects[0].name} on ${name}: ${signal ?? stderr.trim()}`);
    all.forEach(({ outputs }, index) => {
      const isThere = fs.existsSync(outputs);
      found[index].set(name, isThere ? decodeSafetensors(fs.readFileSync(outputs)) : undefined);
    });
  }
  return found;
}

type Pair = readonly [string, string];

function pairsOf(names: readonly string[]): Pair[] {
  return names.flatMap((a, index) => names.slice(index + 1).map((b): Pair => [a, b]));
}

function printModels(all: ReadonlyMap<string, Results>, processors: readonly string[]): void {
  const allPairs = pairsOf(processors);
  const rows = [...all].map(([model, results]) => {
    const differences = allPairs.map((pair) => comparison([results], pair).largest);
    return [model, ...bitsOf(results, processors), differences.sort((a, b) => Number(b) - Number(a))[0]];
  });
  print('by model: processors with the same letter return the same bits');
  print(formatTable(['model', ...processors, 'largest difference'], rows));
  const pairs = allPairs.map((pair) => {
    const { same, different, skipped, largest } = comparison([...all.values()], pair);
    return [pair.join(' / '), same, different, largest, skipped];
  });
  print(formatTable(['processors', 'same bits', 'other bits', 'largest difference', 'skipped'], pairs));
}

/** A letter for each processor. */
function bitsOf(results: Results, processors: readonly string[]): string[] {
  const different: Tensors[] = [];
  return processors.map((processor) => {
    const own = results.get(processor);
    if (own === undefined) return 'skipped';
    const earlier = different.findIndex((other) => differenceOf(other, own) === undefined);
    return String.fromCharCode(65 + (earlier < 0 ? different.push(own) - 1 : earlier));
  });
}

function comparison(all: readonly Results[], [a, b]: Pair) {
  const compared = all.flatMap((results) => {
    const [one, other] = [results.get(a), results.get(b)];
    return one === undefined || other === undefined ? [] : [{ difference: differenceOf(one, other) }];
  });
  const differences = compared.flatMap(({ difference }) => (difference === undefined ? [] : [difference]));
  return {
    same: compared.length - differences.length,
    different: differences.length,
    skipped: all.length - compared.length,
    largest: differences.length === 0 ? '' : Math.max(...differences).toPrecision(2),
  };
}

function countOf(all: readonly Results[], pair: Pair): string {
  const { same, different, largest } = comparison(all, pair);
  return `${different} of ${same + different}${different === 0 ? '' : `, ${largest}`}`;
}

function programs(text: string, earlier: Programs): Programs {
  const parts = /^([^=]+)=(.+)$/.exec(text);
  if (parts === null) throw new InvalidArgumentError('It must be NAME=PROGRAM.');
  return { ...earlier, [parts[1]]: parts[2] };
}

new Command('bench:processors')
  .description('Compares the bits of models and operators on several processors. Emulated ones take an hour.')
  .requiredOption(
    '--node <name=program>',
    'a processor, and a program like node on it; repeatable',
    programs,
    {},
  )
  .option('--models <folder>', 'folder of ONNX models')
  .addOption(numberOption('--seed <n>', 'of inputs and operators', 1))
  .addOption(numberOption('--cases <n>', 'cases of each operator', 8))
  .addOption(numberOption('--elements <n>', 'the most elements of the weight of an operator', 200_000))
  .addOption(numberOption('--seconds <n>', 'the most for a model, or for all cases of an operator', 120))
  .addOption(folderOption())
  .action((options: Options) =>
    inOwnFolder(options.folder, 'bench-processors', (folder) => main(folder, options)),
  )
  .parse();
