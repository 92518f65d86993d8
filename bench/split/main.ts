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
  readonly kind?: string;
  readonly all?: boolean;
  readonly folder: string;
}

class Count {
  private all = 0;
  private identical = 0;

  add(isIdentical: boolean): void {
    this.all++;
    if (isIdentical) this.identical++;
  }

  get text(): string {
    return this.all === 0 ? '' : `${this.identical} of ${this.all}`;
  }
}

async function main(folder: string, options: Options): Promise<void> {
  const { seed, cases, threads, elements, kind, all = false } = options;
  print(`${describeMachine()}; seed ${seed}; ${threads.join()} threads; identical splits of all`);
  const kinds = kind === undefined ? Object.keys(KINDS) : [kind];
  const rows = [];
  for (const name of kinds) {
    const counts = { inside: new Count(), outside: new Count() };
    for (let index = 0; index < cases; index++) {
      const random = new Random(seed + index);
      const subject = randomOperator(name, random, elements);
      const count = threads[index % threads.length];
      const { parts, isInside, isIdentical } = await compare(subject, random, { threads: count, folder });
      counts[isInside ? 'inside' : 'outside'].add(isIdentical);
      if (!isIdentical && (isInside || all))
        print(
          `${isInside ? 'INSIDE' : 'outside'} ${seed + index}: ${subject.description} in ${parts.join('+')} by ${count} threads`,
        );
      if (!isIdentical && isInside) process.exitCode = 1;
    }
    rows.push([name, counts.inside.text, counts.outside.text]);
  }
  print(formatTable(['operator', 'inside of the table', 'outside'], rows));
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
  .option('--kind <name>', 'only this row of the table')
  .option('--all', 'also print the cases outside of the table that differ')
  .addOption(folderOption())
  .action((options: Options) => inOwnFolder(options.folder, 'bench-split', (folder) => main(folder, options)))
  .parse();
