/** What the logs of runs say: whose line each is, and what the run cost. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { collectLogs } from '../../bin/logs/collect';
import { billOf, type BilledRuns } from '../../lib/cost/bill';
import { DEFAULT_ENVIRONMENT, DEFAULT_PRICES } from '../../lib/cost/constants/defaults';
import { Slicing } from '../../lib';
import type { LocalCloud } from '../../local';
import { deploy, requestOf, rows } from '../support/deployed-pipeline';
import { mlp, saveModel } from '../support/model-builder';
import { succeed } from '../support/run-cli';
import { until } from '../support/until';
import { temporaryFolder } from '../support/temporary-folder';

const SLICES = 3;
const RUNS = 2;

let cloud: LocalCloud;
const executions: string[] = [];
beforeAll(async () => {
  cloud = await deploy(saveModel(mlp(4)), {
    slicing: Slicing.count(SLICES),
    dimensions: { batch: 1 },
    tensorsInState: false,
  });
  for (let run = 0; run < RUNS; run++) {
    const { status, executionArn } = await cloud.execute(requestOf(rows(1, run + 1)));
    expect(status).toBe('SUCCEEDED');
    executions.push(executionArn);
  }
  const { status, executionArn } = await cloud.execute(requestOf(new Map()));
  expect(status).toBe('FAILED');
  executions.push(executionArn);
  // The warm-ups of the failed execution may still run: they are all calls but that of the first slice.
  await until('each call has its report', () => {
    const text = [...cloud.logs().values()].join('');
    const { calls, others } = collectLogs([text]);
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
  return billOf(calls, others, {
    architecture: 'x86_64',
    prices: DEFAULT_PRICES,
    environment: DEFAULT_ENVIRONMENT,
    retentionDays: 1,
  });
}

describe('the log', () => {
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
});

describe('the bill', () => {
  it('has each execution, with one write for each slice that ran', () => {
    const { runs, withoutReport } = bill();
    expect(new Set(runs.map(({ executionArn }) => executionArn))).toEqual(new Set(executions));
    expect(withoutReport).toBe(0);
    for (const { ran, failed, items, executionArn } of runs) {
      expect([ran, failed]).toEqual(executionArn === executions.at(-1) ? [0, 1] : [SLICES, 0]);
      expect(items.s3Puts).toBeCloseTo((ran * DEFAULT_PRICES.s3.standardPuts) / 1e6, 12);
      expect(items.lambdaRequests).toBeGreaterThan(0);
    }
  });

  it('is what the command prints', async () => {
    const file = path.join(temporaryFolder(), 'functions.log');
    fs.writeFileSync(file, [...cloud.logs().values()].join(''));
    const printed = JSON.parse(await succeed(['cost', file, '--json'])) as BilledRuns;
    expect(printed.dollars).toBeCloseTo(bill().dollars, 12);
    const one = JSON.parse(await succeed(['cost', file, '--json', '--run', executions[0]])) as BilledRuns;
    expect(one.runs.map(({ executionArn }) => executionArn)).toEqual([executions[0]]);
    expect(await succeed(['cost', file])).toMatch(
      /^3 runs cost \$0\.\d{8}: \$0\.\d{8} a run, \$\d+\.\d\d a million runs\n/,
    );
  });
});
