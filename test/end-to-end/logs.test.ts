/** What the logs of runs say: whose line each is, and what the run cost, also if the printed commands have gathered them. */
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { collectLogs } from '../../bin/logs/collect';
import { gatherCommands } from '../../bin/logs/gather-commands';
import { Consolidation, Slicing } from '../../lib';
import { billOf, type BilledRuns } from '../../lib/cost/bill';
import { DEFAULT_ENVIRONMENT, DEFAULT_PRICES } from '../../lib/cost/constants/defaults';
import type { LocalCloud } from '../../local';
import { deploy, requestOf, rows, succeeded } from '../support/deployed-pipeline';
import { mlp, saveModel } from '../support/model-builder';
import { succeed } from '../support/run-cli';
import { temporaryFolder } from '../support/temporary-folder';
import { until } from '../support/until';

const SLICES = 3;
const RUNS = 2;
const props = { slicing: Slicing.count(SLICES), dimensions: { batch: 1 } };
const model = saveModel(mlp(4));

describe('the log of two runs and a failed one', () => {
  let cloud: LocalCloud;
  const executions: string[] = [];
  beforeAll(async () => {
    cloud = await deploy(model, { ...props, tensorsInState: false });
    for (const request of [requestOf(rows(1, 1)), requestOf(rows(1, 2)), requestOf(new Map())])
      executions.push((await cloud.execute(request)).executionArn);
    // The warm-ups of the failed execution may still run: they are all calls but that of the first slice.
    await until('each call has its report', () => {
      const { calls, others } = collectLogs([...cloud.logs().values()]);
      return bill().withoutReport === 0 && calls.length + others.length === (2 * SLICES - 1) * RUNS + SLICES;
    });
  });

  function lines(): Record<string, unknown>[] {
    return [...cloud.logs().values()]
      .flatMap((text) => text.split('\n'))
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  function bill(): BilledRuns {
    const { calls, others } = collectLogs([...cloud.logs().values()]);
    const [prices, environment] = [DEFAULT_PRICES, DEFAULT_ENVIRONMENT];
    return billOf(calls, others, { architecture: 'x86_64', prices, environment, retentionDays: 1 });
  }

  it('has a line for each call, warm-up and failure, which names its execution and its slice', () => {
    const messages = lines().map(({ message }) => message);
    expect(new Set(messages)).toEqual(new Set(['slice ran', 'slice is warm', 'slice failed']));
    for (const line of lines()) {
      expect(executions).toContain(line.executionArn);
      expect(line).toMatchObject({
        run: String(line.executionArn).split(':').slice(-2).join('/'),
        slice: expect.any(Number) as number,
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      });
    }
  });

  it('has one trace for all calls of an execution, and another one for each execution', () => {
    const traces = executions.map((execution) => [
      ...new Set(lines().flatMap((line) => (line.executionArn === execution ? [line.traceId] : []))),
    ]);
    for (const own of traces) expect(own).toEqual([expect.stringMatching(/^1-[0-9a-f]{8}-[0-9a-f]{24}$/)]);
    expect(new Set(traces.flat()).size).toBe(executions.length);
  });

  it('has no values of tensors', () => {
    const [x] = [...rows(1, 1).values()];
    const [first] = new Float32Array(('bytes' in x ? x.bytes : new Uint8Array(4)).slice().buffer);
    expect(JSON.stringify(lines())).not.toContain(String(first).slice(0, 6));
  });

  it('has a bill for each execution, with one write for each slice that ran', () => {
    const { runs } = bill();
    expect(new Set(runs.map(({ executionArn }) => executionArn))).toEqual(new Set(executions));
    for (const { ran, failed, items, executionArn } of runs) {
      expect([ran, failed]).toEqual(executionArn === executions.at(-1) ? [0, 1] : [SLICES, 0]);
      expect(items.s3Puts).toBeCloseTo((ran * DEFAULT_PRICES.s3.standardPuts) / 1e6, 12);
      expect(items.lambdaRequests).toBeGreaterThan(0);
    }
  });
});

/** Runs the printed commands up to those of this package. */
async function gather(cloud: LocalCloud, folder: string): Promise<void> {
  const messages = [...cloud.logs()].map(([name, text]) => [name, text.split('\n')]);
  fs.writeFileSync(path.join(folder, 'aws.json'), JSON.stringify(Object.fromEntries(messages)));
  const aws = `#!/bin/sh\nexec '${process.execPath}' '${path.join(__dirname, '../support/aws-logs-cli.cjs')}' "$@"\n`;
  fs.mkdirSync(path.join(folder, 'programs'));
  fs.writeFileSync(path.join(folder, 'programs/aws'), aws, { mode: 0o755 });
  const [commands] = gatherCommands('arn:aws:states:us-east-1:111122223333:stateMachine:Ocr').split('# 4.');
  const PATH = `${path.join(folder, 'programs')}:${process.env.PATH}`;
  const env = { PATH, AWS_LOGS: path.join(folder, 'aws.json') };
  await promisify(execFile)('sh', ['-euc', commands], { cwd: folder, env });
}

test('the printed commands gather logs with the same bill as the whole logs, also for the whole model', async () => {
  const folder = temporaryFolder();
  const cloud = await deploy(model, { ...props, consolidation: Consolidation.ALWAYS });
  for (const seed of [1, 2]) {
    succeeded(await cloud.execute(requestOf(rows(1, seed))));
    await cloud.asynchronousCalls();
  }
  await until('each call has its report', () => {
    const { calls } = collectLogs([...cloud.logs().values()]);
    return calls.every(({ report }) => report !== undefined);
  });
  await gather(cloud, folder);
  const files = fs.readdirSync(folder).filter((name) => name.startsWith('runs-'));
  // All four functions share a log group.
  expect(files).toEqual(['runs-aws-lambda-Test-PipelineSliceLogs.json']);

  const whole = path.join(folder, 'functions.log');
  fs.writeFileSync(whole, [...cloud.logs().values()].join(''));
  const printedBill = async (file: string) =>
    JSON.parse(await succeed(['cost', file, '--json'])) as BilledRuns & { readonly skippedLines: number };
  const { skippedLines: unfiltered, ...expected } = await printedBill(whole);
  const { skippedLines: filtered, ...bill } = await printedBill(path.join(folder, files[0]));
  expect(bill).toEqual(expected);
  expect(bill.slices).toContainEqual(expect.objectContaining({ slice: 'whole', ran: 1, warmUps: 2 }));
  expect(bill.other.calls).toBe(0);
  expect(filtered).toBe(0);
  expect(unfiltered).toBeGreaterThan(0);
});
