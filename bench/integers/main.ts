/**
 * `npm run bench:integers`: compares ONNX Runtime's integer operators on this processor with exact integers, by types of activations and
 * weights, as given and with the weights that the library rewrites. Ends with an error if a product is wrong after that.
 */
import { Command } from 'commander';
import { describeMachine, folderOption, inOwnFolder, numberOption, print } from '../harness';
import { formatTable } from '../measure';
import { KINDS } from './cases';
import { type Measured, measureKind } from './measure';

interface Options {
  readonly seed: number;
  readonly cases: number;
  readonly folder: string;
  readonly json?: boolean;
}

const PAIRS = ['uint8 x uint8', 'uint8 x int8', 'int8 x uint8', 'int8 x int8'];

const percent = (share: number): string => (share === 0 ? 'exact' : `${(100 * share).toFixed(1)} % wrong`);

function cell({ asGiven, rewritten = 0, rewrittenCases }: Measured): string {
  if (asGiven === undefined) return 'no kernel';
  return rewrittenCases === 0 ? percent(asGiven) : `${percent(asGiven)} -> ${percent(rewritten)}`;
}

async function main(folder: string, { seed, cases, json }: Options): Promise<void> {
  const measured: (Measured & { readonly name: string; readonly operator: string })[] = [];
  for (const [name, kind] of Object.entries(KINDS))
    for (const row of await measureKind(kind, { seed, cases, folder }))
      measured.push({ name, operator: kind.operator, ...row });
  if (json) {
    print(JSON.stringify(measured));
    return;
  }
  print(`${describeMachine()}; seed ${seed}, ${cases} cases of each pair of types`);
  print('each as given -> with rewritten weights, if the library rewrites them');
  const rows = Object.keys(KINDS).map((kind) => {
    const own = new Map(
      measured
        .filter(({ name }) => name === kind)
        .map((row) => [`${row.activations} x ${row.weights}`, cell(row)]),
    );
    return [kind, ...PAIRS.map((pair) => own.get(pair) ?? '')];
  });
  print(formatTable(['activations x weights', ...PAIRS], rows));
  // Where all products are exact, the rewriting must change no bit.
  const isExact = measured.every(({ asGiven = 0 }) => asGiven === 0);
  if (measured.some(({ rewritten = 0, changesBits }) => rewritten > 0 || (isExact && changesBits)))
    process.exitCode = 1;
}

new Command('bench:integers')
  .description('Compares integer operators with exact integers, by types.')
  .addOption(numberOption('--seed <n>', 'of the random cases', 1))
  .addOption(numberOption('--cases <n>', 'cases of each operator and pair of types', 12))
  .option('--json', 'print JSON')
  .addOption(folderOption())
  .action((options: Options) =>
    inOwnFolder(options.folder, 'bench-integers', (folder) => main(folder, options)),
  )
  .parse();
