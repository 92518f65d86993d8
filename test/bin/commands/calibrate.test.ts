/** `calibrate` in the local cloud, whose S3, transitions and starts are simulated with other constants, and on files of made-up calls. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { RemovalPolicy } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { ConstantTable, Pairs } from '../../../lib/cost/constants/constant';
import { atPercent } from '../../../lib/cost/latency/latency-distribution';
import { type Environment, DEFAULT_ENVIRONMENT } from '../../../lib/cost/constants/defaults';
import { readEnvironment } from '../../../lib/compile/files/read-constants';
import { Slicing, WarmUp } from '../../../lib';
import type { SlicePlan } from '../../../lib/plan/file/plan';
import { failed, requestOf, rows, start, succeeded, synthesize } from '../../support/deployed-pipeline';
import { fileWith } from '../../support/changed-json';
import { FULL_CHECKS } from '../../support/full-checks';
import { graphOf } from '../../support/graph-text';
import { FLOAT, INT64, floats, mlp, saveModel, temporaryFolder, value } from '../../support/model-builder';
import { refuse, succeed, succeedWithJson } from '../../support/run-cli';

/** One vCPU, so that processor time is elapsed time. */
const MEMORY_MB = 1769;
const folder = temporaryFolder();
const model = saveModel(mlp(3));
let plan: string;
let planned: SlicePlan;

beforeAll(async () => {
  plan = await planOf(model, '2');
  planned = JSON.parse(fs.readFileSync(plan, 'utf8')) as SlicePlan;
});

async function planOf(file: string, slices: string, ...more: readonly string[]): Promise<string> {
  const out = path.join(path.dirname(file), `slices-${slices}`);
  await succeed(['slice', file, '--slices', slices, '--out', out, ...more]);
  return path.join(out, 'plan.json');
}

async function calibrated(planFile: string, log: string): Promise<Environment> {
  const out = path.join(folder, 'environment.json');
  await succeed(['calibrate', planFile, '--logs', log, '--out', out]);
  return readEnvironment(out);
}

function expectRecovered(actual: number, expected: number): void {
  expect(actual / expected).toBeGreaterThan(0.9);
  expect(actual / expected).toBeLessThan(1.1);
}

describe('in the local cloud, calibrate recovers', () => {
  /** Long beside this machine's own time, and without spread, so that few runs suffice. Connections open as published. */
  const CHANGED = {
    s3: {
      standardGet: { value: [[50, 350]], unit: 'ms by percent' },
      standardFirstGetMs: { value: 391, unit: 'ms' },
      standardPut: { value: [[50, 450]], unit: 'ms by percent' },
      standardFirstPutMs: { value: 700, unit: 'ms' },
    },
    lambda: { placementMs: { value: 650, unit: 'ms' } },
    stepFunctions: {
      // The state machine of a pipeline passes few bytes.
      standard32B: { value: [[50, 400]], unit: 'ms by percent' },
      standard1KiB: { value: [[50, 400]], unit: 'ms by percent' },
      express: { value: [[50, 500]], unit: 'ms by percent' },
    },
  };
  const simulationEnvironment = fileWith(
    JSON.stringify({ version: 1, environment: CHANGED }),
    'changed.json',
  );
  const truth = readEnvironment(simulationEnvironment);

  /** The log of three runs side by side, and then twice of three more, which find their functions loaded. */
  async function logOf(stateMachineType: sfn.StateMachineType): Promise<string> {
    const assembly = synthesize(model, () => ({
      ...{ slicing: Slicing.count(2), stateMachineType, warmUp: WarmUp.NEVER, tensorsInState: false },
      sliceFunctions: { memorySize: MEMORY_MB },
      removalPolicy: RemovalPolicy.DESTROY,
    }));
    // The first call unpacks the code of the functions, which takes a second, so another cloud has it: it refuses an empty request.
    failed(await (await start(assembly)).execute({}));
    const lines: string[] = [];
    const onLog = (name: string, line: string) => lines.push(`${name}: ${line}`);
    const cloud = await start(assembly, { simulation: 'aws', simulationEnvironment, onLog });
    for (let round = 0; round < 3; round++) {
      const runs = [1, 2, 3].map((seed) => cloud.execute(requestOf(rows(2, seed))));
      (await Promise.all(runs)).forEach(succeeded);
    }
    return fileWith(lines.join('\n'), 'functions.log');
  }

  /** Simulated delays do not vary, and this machine's own time only adds to them: so the fifth percentile of the samples counts. */
  async function expectAllRecovered(log: string, names: readonly string[]): Promise<void> {
    const out = path.join(temporaryFolder(), 'environment.json');
    await succeed(['calibrate', plan, '--logs', log, '--out', out]);
    const { environment } = JSON.parse(fs.readFileSync(out, 'utf8')) as { environment: ConstantTable };
    for (const name of names) {
      const [group, own] = name.split('.');
      const { value, source } = environment[group][own];
      const least =
        typeof value === 'number' ? value * Number(/calls, (\S+) to/.exec(source)?.[1]) : value[0][1];
      const wanted = (truth as unknown as Record<string, Record<string, number | Pairs>>)[group][own];
      expectRecovered(least, typeof wanted === 'number' ? wanted : wanted[0][1]);
    }
  }

  test('waits for S3, transitions and placements of a Standard machine', async () => {
    await expectAllRecovered(await logOf(sfn.StateMachineType.STANDARD), [
      ...['s3.standardFirstGetMs', 's3.standardFirstPutMs', 's3.standardGet', 's3.standardPut'],
      ...['lambda.placementMs', 'stepFunctions.standard1KiB'],
    ]);
  });

  (FULL_CHECKS ? test : test.skip)('transitions of an Express machine', async () => {
    await expectAllRecovered(await logOf(sfn.StateMachineType.EXPRESS), ['stepFunctions.express']);
  });
});

/** A line of a call, as a function writes it. */
function ran(fields: object): string {
  const times = { loadMs: 0, readMs: 71, runMs: 1, writeMs: 43 };
  const sizes = { weightBytes: filesOf(planned, 0), bytesRead: 128, bytesWritten: 300, peakMemoryBytes: 1e8 };
  const requests = { s3Gets: 1, s3Puts: 1, expressGets: 0, expressPuts: 0 };
  return JSON.stringify({
    ...{
      FunctionName: 'f',
      level: 'INFO',
      message: 'slice ran',
      run: 'name/uuid',
      requestId: 'id-1',
      slice: 0,
    },
    ...{ startedAt: START, cold: false, warmedUp: false, ...times, ...sizes, memoryMb: MEMORY_MB },
    ...{ processor: 'x86_64 AVX2', coldStarts: 0, ...requests, ...fields },
  });
}

const START = Date.UTC(2026, 11, 1);

function filesOf({ slices }: SlicePlan, slice: number): number {
  const { model: graph, weights } = slices[slice];
  return graph.bytes + (weights?.bytes ?? 0);
}

/**
 * Wall times of this machine are too noisy to tell a processor's speed, and the local cloud does not slow processors. So these calls come
 * from a formula of this test: it takes the work of the slices from `plan --json`, and their bytes from the plan file.
 */
describe('of made-up calls, calibrate recovers', () => {
  /** A tenth of a vCPU, which limits downloads more than a connection does. */
  const SMALL_MB = 177;
  const truth = { computing: 1.5, cpu: 9, prepackCpu: 3, runtimeLoadMs: 420 };
  const { sessionCpu, sessionCpuMs } = DEFAULT_ENVIRONMENT.handler;

  test('computing, the parts of loads, and the init phase', async () => {
    const nodes = 'Gather table ids > e; MatMul e w > m; MatMul m last > y';
    const wide = saveModel({
      graph: graphOf(nodes, {
        initializer: [floats('table', [1500, 1500]), floats('w', [1500, 1500]), floats('last', [1500, 16])],
        input: [value('ids', INT64, [512])],
        output: [value('y', FLOAT, [512, 16])],
      }),
    });
    const file = await planOf(wide, '3', '--prepacking', 'always');
    const report = (await succeedWithJson(['plan', wide, '--slices', '3', '--prepacking', 'always'])) as {
      slices: { coreSeconds: number }[];
    };
    const own = JSON.parse(fs.readFileSync(file, 'utf8')) as SlicePlan;
    const vcpus = SMALL_MB / 1769;
    const lines = Array.from({ length: 12 }, (_, run) =>
      own.slices.flatMap((_slice, slice) => {
        const [cold, megabytes] = [run < 6, filesOf(own, slice) / 1e6];
        const packed = slice === 1 ? (1500 * 1500 * 4) / 1e6 : slice === 2 ? (1500 * 16 * 4) / 1e6 : 0;
        const cpuMs = sessionCpuMs + megabytes * (truth.cpu + sessionCpu) + packed * truth.prepackCpu;
        const noise = 1 + 0.03 * Math.sin(7 * run + slice);
        const requestId = `${run}-${slice}`;
        const loadMs = cold ? 68 + (noise * cpuMs) / vcpus : 0;
        const runMs = (noise * truth.computing * 1000 * report.slices[slice].coreSeconds) / vcpus;
        const times = { startedAt: START + run * 60_000 + slice * 20_000, cold, loadMs, runMs, s3Gets: 0 };
        const place = { slice, weightBytes: filesOf(own, slice), memoryMb: SMALL_MB };
        const init = `REPORT RequestId: ${requestId}\tDuration: 9 ms\tInit Duration: ${557 * noise} ms`;
        return [ran({ run: `name/${run}`, requestId, ...times, ...place }), ...(cold ? [init] : [])];
      }),
    );
    const { processor, network, handler, lambda } = await calibrated(
      file,
      fileWith(lines.flat().join('\n'), 'made-up.log'),
    );
    expectRecovered(processor.computing, truth.computing);
    expectRecovered(network.cpu, truth.cpu);
    expectRecovered(handler.prepackCpu, truth.prepackCpu);
    expectRecovered(lambda.runtimeLoadMs, truth.runtimeLoadMs);
  });
});

describe('calibrate refuses', () => {
  const logOf = (...lines: readonly string[]): string => fileWith(lines.join('\n'), 'x.log');

  test.each<[string, () => readonly string[], string]>([
    ['no log', () => [], 'got no --logs: pass --logs with the lines of runs; docs/costs.md has the commands'],
    ['a log without calls', () => ['--logs', logOf('hello', '{"message":"other"}')], 'got none: pass --logs'],
    [
      'a missing log',
      () => ['--logs', 'missing.log'],
      "log 'missing.log' must be a readable file, got no such",
    ],
    ['a call of another plan', () => ['--logs', logOf(ran({ weightBytes: 7 }))], 'got a call with 7 bytes'],
    [
      'a slice that the plan lacks',
      () => ['--logs', logOf(ran({ slice: 7 }))],
      'which has slices 0 to 1, got a call of slice 7: pass the plan that was deployed',
    ],
    [
      'calls of two deployments',
      () => ['--logs', logOf(ran({}), ran({ requestId: 'id-2', memoryMb: 3008 }))],
      ', 3008 MB and x86_64: pass the plan that was deployed, and only lines since its deployment',
    ],
    ['broken JSON', () => ['--logs', logOf('', ran({}).slice(0, -9))], 'line 2 of log'],
    ['NaN', () => ['--logs', logOf(ran({}).replace('"runMs":1', '"runMs":NaN'))], 'text that is not JSON'],
    [
      'a negative time',
      () => ['--logs', logOf(ran({ runMs: -5 }))],
      'number from 0 to 900000, got -5: remove',
    ],
    ['a huge time', () => ['--logs', logOf(ran({ readMs: 1e300 }))], 'number from 0 to 900000, got 1e+300'],
    ['a long name', () => ['--logs', logOf(ran({ run: 'x'.repeat(2000) }))], 'at most 1024 characters'],
    [
      'a bad init',
      () => ['--logs', logOf('REPORT RequestId: a\tInit Duration: x ms')],
      'Init Duration of line 1',
    ],
    ['a line of megabytes', () => ['--logs', logOf('', 'x'.repeat(5e6))], 'must be short, got 5000000'],
    [
      'events in one line',
      () => ['--logs', logOf(`{"events":[${ran({})}]}`)],
      'if it has many events, print the logs again with `--output json`',
    ],
  ])('%s with one line', async (_, args, expected) => {
    expect(await refuse(['calibrate', plan, ...args()])).toContain(expected);
  });

  test('a gigabyte, in little memory', async () => {
    const file = path.join(folder, 'huge.log');
    fs.writeFileSync(file, '');
    fs.truncateSync(file, 2 ** 30);
    const options = { env: { NODE_OPTIONS: '--max-old-space-size=200' } };
    expect(await refuse(['calibrate', plan, '--logs', file], options)).toContain(
      'must have at most 200000000 bytes',
    );
  });
});

test('calibrate reads events as the AWS CLI prints them, counts a call once, and prints the phases', async () => {
  const calls = Array.from({ length: 6 }, (_, run) => ran({ run: `name/${run}`, requestId: `id-${run}` }));
  const events = { events: calls.map((message) => ({ timestamp: START, message })) };
  const log = fileWith(JSON.stringify(events, null, 4), 'events.json');
  const report = await succeed(['calibrate', plan, '--logs', log, fileWith(calls.join('\n'), 'x.log')]);
  expect(report).toMatch(/slice +phase +calls +predicted ms +actual ms\n +0 +read +6 +[\d.]+ +71\.0\n/);
  expect(report).toMatch(/ 0 +run +6 .*\n +0 +write +6 +[\d.]+ +43\.0\n/);
});

/** The report, and the constants that are written, of twenty warm calls of the first slice and a cold one for each init phase. */
async function written(of: (run: number) => object, inits: readonly number[] = []) {
  const warm = Array.from({ length: 20 }, (_, run) =>
    ran({ run: `name/${run}`, requestId: `id-${run}`, ...of(run) }),
  );
  const cold = inits.flatMap((ms, index) => [
    ran({ run: `name/cold-${index}`, requestId: `cold-${index}`, cold: true }),
    `REPORT RequestId: cold-${index}\tInit Duration: ${ms} ms`,
  ]);
  const out = path.join(temporaryFolder(), 'e.json');
  const log = fileWith([...warm, ...cold].join('\n'), 'x.log');
  const report = await succeed(['calibrate', plan, '--logs', log, '--out', out]);
  return { report, out, environment: readEnvironment(out) };
}

test('a constant keeps its value if more than one of twenty calls is too short for it', async () => {
  const told = /^s3\.standardGet .* – +20 calls, some too short$/m;
  // To open a connection takes 41 ms.
  const isShort = await written((run) => ({ readMs: run < 2 ? 20 : 100 }));
  expect(isShort.report).toMatch(told);
  expect(isShort.environment.s3.standardGet).toEqual(DEFAULT_ENVIRONMENT.s3.standardGet);
  const isLong = await written((run) => ({ readMs: run < 1 ? 20 : 100 }));
  expect(isLong.report).not.toMatch(told);
  expect(isLong.environment.s3.standardGet).not.toEqual(DEFAULT_ENVIRONMENT.s3.standardGet);
});

test('the percentiles above those that are measured grow with the median', async () => {
  const { s3 } = (await written(() => ({ writeMs: 84 }))).environment;
  const p50 = atPercent(s3.standardPut, 50);
  const [p99, p999] = s3.standardPut.slice(-2);
  expect(p99[0]).toBe(99);
  expect(p99[1]).toBeCloseTo((123 * p50) / 40, 0);
  expect(p999[1]).toBeCloseTo((205 * p50) / 40, 0);
  // Some calls that took long are above what grew.
  const rare = (await written((run) => ({ writeMs: run < 18 ? 44 : 900 }))).environment.s3.standardPut;
  expect(rare.map(([percent]) => percent)).toEqual([5, 50, 90, 95, 99, 99.9]);
  expect(rare[4][1]).toBe(rare[3][1]);
});

test('a number that has a spread gets the measured one, relative to its median', async () => {
  const { out, environment } = await written(() => ({}), [400, 440, 500, 560, 600]);
  const { runtimeLoadMs } = environment.lambda;
  const { x86InitMs } = DEFAULT_ENVIRONMENT.lambda;
  expect(runtimeLoadMs).toBe(500 - x86InitMs);
  const spread = environment.spreads.lambda?.runtimeLoadMs;
  expect(spread?.[0]).toBeCloseTo((408 - x86InitMs) / runtimeLoadMs, 2);
  expect(spread?.[1]).toBeCloseTo((592 - x86InitMs) / runtimeLoadMs, 2);
  const { environment: text } = JSON.parse(fs.readFileSync(out, 'utf8')) as { environment: object };
  expect(text).toMatchObject({ lambda: { runtimeLoadMs: { spread } } });
});

test('the written constants say on how many calls they rest, how far these differ, and when they ran', async () => {
  const calls = [40, 41, 42, 43, 44, 45].map((writeMs, run) => {
    return ran({ run: `name/${run}`, requestId: `id-${run}`, writeMs });
  });
  const out = path.join(folder, 'sources.json');
  await succeed(['calibrate', plan, '--logs', fileWith(calls.join('\n'), 'x.log'), '--out', out]);
  const { environment } = JSON.parse(fs.readFileSync(out, 'utf8')) as { environment: Record<string, object> };
  expect(environment).toMatchObject({
    s3: {
      standardPut: {
        source: 'sliced-inference calibrate: 6 calls, 0.94 to 1.06 of the median',
        date: '2026-12',
      },
    },
  });
  expect(Object.keys(environment)).toEqual(['s3']);
  await succeed(['plan', model, '--slices', '2', '--environment', out]);
});
