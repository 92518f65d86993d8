/** The flags that `plan`, `slice` and `verify` share: of slicing, of the search, of estimates and of dimensions. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseConstants } from '../../../lib/cost/constants/constants-file';
import { ENVIRONMENT, PRICES } from '../../../lib/cost/constants/defaults';
import { fileWith } from '../../support/changed-json';
import { mlp, saveModel, temporaryFolder } from '../../support/model-builder';
import { refuse, succeed, succeedWithJson } from '../../support/run-cli';

const model = saveModel(mlp(3));

interface Plan {
  readonly slices: readonly { readonly memoryMb: number }[];
}

const planned = async (...flags: string[]): Promise<Plan> =>
  (await succeedWithJson(['plan', model, ...flags])) as Plan;

it.each<[string[], string]>([
  [['--slices', '0'], "option '--slices <n>' argument '0' is invalid. It must be a whole number from 1."],
  [['--max-slice-size', '0B'], "option '--max-slice-size <size>' argument '0B' is invalid. It must be a"],
  [['--max-slice-size', '64'], "'64' is invalid. It must be a size above 0 with a unit such as 64MB."],
  [['--max-memory', '64MB'], "'64MB' is invalid. It must be a whole number of MB from 512 to 10240, such"],
  [['--max-memory', '1024.5'], "'1024.5' is invalid. It must be a whole number of MB from 512 to 10240"],
  [['--at-tensors', 't0,nowhere'], "must be computed by a node from the model's inputs, got 'nowhere'"],
  [['--at-tensors', ','], 'the list of tensors to cut at must have one tensor or more, got none'],
  [['--dimension', 'batch'], "option '--dimension <name=size>' argument 'batch' is invalid"],
  [['--dimension', 'batch=2', '--dimension', 'batch=3'], "'batch' has a size already: pass each name"],
  [['--dimension', 'batch=0'], "the size of dimension 'batch' must be a whole number from 1 to 2147483647"],
  [
    ['--max-latency', '2'],
    "argument '2' is invalid. It must be a time with a unit such as 10m, 2s or 500ms.",
  ],
  [['--max-cost-per-million', '$5'], "argument '$5' is invalid"],
  [['--requests-per-hour', '1e12'], 'It must be at most 10,000,000, about 2,778 requests a second'],
  ...['minimize', 'latency-percentile', 'temperature', 'state-machine', 'architecture', 'tensor-store'].map(
    (name): [string[], string] => [[`--${name}`, 'odd'], "argument 'odd' is invalid. Allowed choices are"],
  ),
  [['--prices', '/nowhere'], "prices file '/nowhere' must be a readable file, got no such file or folder"],
  [['--environment', '/nowhere'], "environment file '/nowhere' must be a readable file, got no such file"],
  [['--slices', '2', '--max-latency', '2s'], 'exclude one another, got --slices and --max-latency: keep one'],
  [['--max-latency', '1ms', '--latency-percentile', 'p50'], 'a p50 latency of at most 1 ms, got'],
  [['--max-cost-per-million', '0.01'], 'a million runs must cost at most $0.01, got'],
])('%j is refused before anything is written', async (flags, message) => {
  const out = path.join(temporaryFolder(), 'slices');
  expect(await refuse(['slice', model, '--out', out, ...flags])).toContain(message);
  expect(fs.readdirSync(path.dirname(out))).toEqual([]);
});

it('slice takes the flags of the search and of the pipeline, and verify its plan', async () => {
  const out = path.join(temporaryFolder(), 'slices');
  const search = ['--minimize', 'cost', '--max-latency', '1.5 min', '--temperature', 'warm'];
  const pipeline = ['--state-machine', 'standard', '--architecture', 'arm64', '--no-warm-up'];
  const flags = [...search, ...pipeline, '--tensor-store', 's3-express', '--dimension', 'batch=1'];
  await succeed(['slice', model, '--out', out, ...flags]);
  expect(fs.readdirSync(out)).toContain('plan.json');
  const plan = ['--slicing-plan', path.join(out, 'plan.json')];
  expect(await succeed(['verify', model, ...plan])).toContain('identical');
});

it('the search chooses more memory for less latency', async () => {
  // Its products take 0.1 s on one processor.
  const slow = saveModel(mlp(3, 800));
  const plannedWith = async (...flags: string[]): Promise<Plan> =>
    (await succeedWithJson(['plan', slow, '--dimension', 'batch=1000', ...flags])) as Plan;
  const fast = await plannedWith('--minimize', 'latency', '--max-memory', '1769');
  const least = await plannedWith('--slices', '1');
  expect(fast.slices[0].memoryMb).toBe(1769);
  expect(least.slices[0].memoryMb).toBeLessThan(1769);
});

it.each([
  ['prices', PRICES],
  ['environment', ENVIRONMENT],
] as const)('constants prints %s that the flag of this name accepts', async (kind, table) => {
  const text = await succeed(['constants', kind]);
  expect(parseConstants(text, 'constants.json', kind, table)).toEqual(table);
  expect(await planned(`--${kind}`, fileWith(text))).toEqual(await planned());
});
