/**
 * `npm run bench:split`: runs random operators whole and in parts, and counts how often the parts have the same bits, by operator, inside and
 * outside of the table of lib/split/exactness.ts. Ends with an error if a case inside of the table differs.
 */
import { Command } from 'commander';
import { describeMachine, folderOption, inOwnFolder, numberOption, positive, print } from '../harness';
import { formatTable } from '../measure';
import { compare } from './comparison';
import { Random } from './random';
import { KINDS, randomOperator } from './random-operator';

interface Options {
  readonly seed: number;
  readonly cases: number;
  readonly threads: readonly number[];
  readonly elements: number;
  readonly folder: string;
}

async function main(folder: string, { seed, cases, threads, elements }: Options): Promise<void> {
  print(`${describeMachine()}; seed ${seed}; ${threads.join()} threads; identical splits of all`);
  const rows: string[][] = [];
  const nanIn = { none: 0, x: 0, weights: 0 };
  const all = { inside: [] as boolean[], outside: [] as boolean[] };
  const of = (some: readonly boolean[]): string => `${some.filter(Boolean).length} of ${some.length}`;
  for (const kind of Object.keys(KINDS)) {
    const identical = { inside: [] as boolean[], outside: [] as boolean[] };
    for (let index = 0; index < cases; index++) {
      const random = new Random(seed + index);
      const subject = randomOperator(kind, random, elements);
      nanIn[subject.nanIn]++;
      const count = threads[index % threads.length];
      const { parts, isInside, isIdentical } = await compare(subject, random, { threads: count, folder });
      identical[isInside ? 'inside' : 'outside'].push(isIdentical);
      if (isIdentical || !isInside) continue;
      print(`${seed + index}: ${subject.description} in ${parts.join('+')} by ${count} threads differs`);
      process.exitCode = 1;
    }
    all.inside.push(...identical.inside);
    all.outside.push(...identical.outside);
    rows.push([kind, of(identical.inside), of(identical.outside)]);
  }
  rows.push(['all', of(all.inside), of(all.outside)]);
  print(formatTable(['operator', 'inside of the table', 'outside'], rows));
  print(
    `all floats with -0.0 and denormals; infinities and NaN with payloads in the inputs of ${nanIn.x} cases and in the weights of ${nanIn.weights}`,
  );
}

new Command('bench:split')
  .description('Compares operators whole and in parts, bit by bit. Takes some minutes.')
  .addOption(numberOption('--seed <n>', 'of the random cases', 1))
  .addOption(numberOption('--cases <n>', 'cases of each operator', 40))
  .option(
    '--threads <n,...>',
    'threads of ONNX Runtime',
    (text) => text.split(',').map(positive),
    [1, 2, 3, 4, 6],
  )
  .addOption(numberOption('--elements <n>', 'the most elements of a weight', 2_000_000))
  .addOption(folderOption())
  .action((options: Options) => inOwnFolder(options.folder, 'bench-split', (folder) => main(folder, options)))
  .parse();
