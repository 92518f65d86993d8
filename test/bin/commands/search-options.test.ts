import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseConstants } from '../../../lib/cost/constants/constants-file';
import { ENVIRONMENT, PRICES } from '../../../lib/cost/constants/defaults';
import { analyzeModel } from '../../../lib/compile/analyze';
import { mlp, saveModel, temporaryFolder } from '../../support/model-builder';
import { profileOf, saveProfile } from '../../support/model-profile';
import { outcome, refuse, succeed } from '../../support/run-cli';

const model = saveModel(mlp(3));

interface Plan {
  readonly slices: readonly { readonly memoryMb: number }[];
}

const planned = async (...flags: string[]): Promise<Plan> =>
  JSON.parse(await succeed(['plan', model, '--json', ...flags])) as Plan;

function fileWith(content: string): string {
  const file = path.join(temporaryFolder(), 'constants.json');
  fs.writeFileSync(file, content);
  return file;
}

describe('plan, slice and verify', () => {
  it.each([
    [['--max-latency', '2'], "option '--max-latency <time>' argument '2' is invalid"],
    [['--max-latency', '0s'], "argument '0s' is invalid"],
    [['--max-latency', '-1s'], "argument '-1s' is invalid"],
    [['--max-latency', '2h'], "argument '2h' is invalid"],
    [['--max-cost-per-million', '0'], "option '--max-cost-per-million <usd>' argument '0' is invalid"],
    [['--max-cost-per-million', '$5'], "argument '$5' is invalid"],
    [['--requests-per-hour', 'many'], "option '--requests-per-hour <n>' argument 'many' is invalid"],
    ...['minimize', 'latency-percentile', 'temperature', 'state-machine', 'architecture', 'tensor-store'].map(
      (name): [string[], string] => [[`--${name}`, 'odd'], "argument 'odd' is invalid. Allowed choices are"],
    ),
    [['--profile', '/nowhere'], "profile '/nowhere' must be a readable file, got no such file or folder"],
    [['--prices', '/nowhere'], "prices file '/nowhere' must be a readable file, got no such file or folder"],
    [['--environment', '/nowhere'], "environment file '/nowhere' must be a readable file, got no such file"],
    [
      ['--slices', '2', '--max-latency', '2s'],
      'slicing flags exclude one another, got --slices and --max-latency: keep one of them',
    ],
    [
      ['--at-tensors', 't0', '--temperature', 'warm'],
      'slicing flags exclude one another, got --at-tensors and --temperature',
    ],
    [['--max-latency', '1ms'], 'a run must have a p95 latency of at most 1 ms, got'],
    [
      ['--max-latency', '1ms', '--latency-percentile', 'p50'],
      'a run must have a p50 latency of at most 1 ms, got',
    ],
    [['--max-cost-per-million', '0.01'], 'a million runs must cost at most $0.01, got'],
  ])('refuse %p', async (flags, message) => {
    expect(await refuse(['plan', model, ...flags])).toContain(message);
  });

  it('slice and verify with the flags of the search', async () => {
    const out = path.join(temporaryFolder(), 'slices');
    const search = ['--minimize', 'cost', '--max-latency', '1.5 min', '--temperature', 'warm'];
    const pipeline = ['--state-machine', 'standard', '--architecture', 'arm64', '--no-warm-up'];
    const flags = [...search, ...pipeline, '--tensor-store', 's3-express', '--dimension', 'batch=1'];
    await succeed(['slice', model, '--out', out, ...flags]);
    expect(fs.readdirSync(out)).toContain('plan.json');
    expect(await succeed(['verify', model, ...flags])).toContain('identical');
  });

  it('choose more memory for less latency', async () => {
    const profile = saveProfile(
      profileOf(analyzeModel(model, { dimensions: { batch: 1 } }), { seconds: 0.2 }),
    );
    const fast = await planned('--minimize', 'latency', '--profile', profile, '--max-memory', '1769');
    const least = await planned('--slices', '1', '--profile', profile);
    expect(fast.slices[0].memoryMb).toBe(1769);
    expect(least.slices[0].memoryMb).toBeLessThan(1769);
  });

  it('take estimates with any way to cut', async () => {
    const profile = saveProfile(profileOf(analyzeModel(model, { dimensions: { batch: 1 } })));
    const prices = fileWith('{"version":1,"prices":{}}');
    const estimates = ['--profile', profile, '--prices', prices, '--requests-per-hour', '5'];
    expect((await planned('--slices', '2', ...estimates)).slices).toHaveLength(2);
  });

  it('warn of a profile of other sizes', async () => {
    const profile = saveProfile(profileOf(analyzeModel(model, { dimensions: { batch: 1 } })));
    const out = path.join(temporaryFolder(), 'slices');
    const flags = [model, '--profile', profile, '--dimension', 'batch=4'];
    const warning =
      'warning: the profile was measured under other conditions than those of the plan (batch is 4, and was 1 in the profile): profile the model again\n';
    for (const command of [['slice', '--out', out], ['verify']]) {
      const { code, stderr } = await outcome([...command, ...flags]);
      expect(code).toBe(0);
      expect(stderr).toContain(warning);
    }
    const { profileDifferences } = JSON.parse((await outcome(['verify', ...flags, '--json'])).stdout) as {
      profileDifferences: unknown;
    };
    expect(profileDifferences).toEqual(['batch is 4, and was 1 in the profile']);
  });

  it('refuse the profile of another graph', async () => {
    const profile = saveProfile(profileOf(analyzeModel(saveModel(mlp(2)))));
    expect(await refuse(['plan', model, '--profile', profile])).toContain('got a profile of another graph');
  });
});

describe('constants', () => {
  it.each([
    ['prices', PRICES],
    ['environment', ENVIRONMENT],
  ] as const)('prints %s that the flag of this name accepts', async (kind, table) => {
    const text = await succeed(['constants', kind]);
    expect(parseConstants(text, 'constants.json', kind, table)).toEqual(table);
    expect(await planned(`--${kind}`, fileWith(text))).toEqual(await planned());
  });

  it('refuses what is neither', async () => {
    expect(await refuse(['constants', 'weather'])).toContain('weather');
  });
});
