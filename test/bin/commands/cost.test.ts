import * as fs from 'node:fs';
import * as path from 'node:path';
import type { BilledRuns } from '../../../lib/cost/bill';
import { temporaryFolder } from '../../support/temporary-folder';
import { refuse, succeed } from '../../support/run-cli';

const folder = temporaryFolder();

function saved(name: string, content: string): string {
  const file = path.join(folder, name);
  fs.writeFileSync(file, content);
  return file;
}

const STARTED = Date.UTC(2026, 10, 26);
const CALL = { message: 'slice ran', run: 'machine/a', requestId: 'r', slice: 0, startedAt: STARTED };
const LOG = saved(
  'functions.log',
  `slice-0: ${JSON.stringify({ ...CALL, runMs: 1000, s3Puts: 1 })}\n` +
    'slice-0: REPORT RequestId: r\tDuration: 1000.00 ms\tBilled Duration: 1000 ms\tMemory Size: 1024 MB\n' +
    'slice-0: REPORT RequestId: killed\tDuration: 9.00 ms\tBilled Duration: 9 ms\tMemory Size: 1024 MB\tStatus: timeout\n',
);

describe('cost', () => {
  it('prints a table of slices, of items and of runs', async () => {
    const printed = await succeed(['cost', LOG]);
    expect(printed).toMatch(/^slice +calls +warm-ups +failed +billed s +GB-s +dollars$/m);
    expect(printed).toMatch(/^Lambda: computing +\$0\.0000\d+ +\d+\.\d %$/m);
    expect(printed).toMatch(/^machine\/a +1 +0 +0 +1\.00 +\$0\.\d+$/m);
    expect(printed).toContain('note: 1 calls have no line of a slice');
  });

  it('uses the prices of a file', async () => {
    const table = { lambda: { x86GbSecond: { value: 1, unit: 'USD/GB-s' } } };
    const prices = saved('prices.json', JSON.stringify({ version: 1, prices: table }));
    const { items } = JSON.parse(await succeed(['cost', LOG, '--json', '--prices', prices])) as BilledRuns;
    expect(items.lambdaCompute).toBeCloseTo(1.009, 9);
  });

  it.each([
    ['a log without calls', [saved('empty.log', 'hello\n')], '0 calls, 1 other lines'],
    ['a run that is not in the log', [LOG, '--run', 'other'], "of a run with 'other'"],
    ['no log', [], 'missing required argument'],
    ['a missing file', ['missing.log'], 'no such file'],
  ])('refuses %s with one line', async (_, args, expected) => {
    const problem = await refuse(['cost', ...args]);
    expect(problem.trim().split('\n')).toHaveLength(1);
    expect(problem).toContain(expected);
  });
});
