/** The time of a child: its states run on a clock that does not wait, with functions that take the time of their items. */
import { setMaxListeners } from 'node:events';
import type { Stack } from 'aws-cdk-lib';
import { BatchItems, SlicedInferenceBatch, Slicing, type SlicedInferencePipelineProps } from '../../../lib';
import type { Json, JsonObject } from '../../../local/json';
import type { Clock } from '../../../local/step-functions/clock';
import { userFunction } from '../../support/deployed-pipeline';
import { run, START } from '../../support/machine-fixture';
import { addPipeline, definitionOf, newStack, shortTemplate } from '../../support/pipeline-stack';

beforeEach(() => {
  const others = ['setImmediate', 'setTimeout', 'nextTick', 'queueMicrotask', 'performance'] as const;
  jest.useFakeTimers({ now: START, doNotFake: [...others] });
});
afterEach(() => {
  jest.useRealTimers();
});

const SLICES = 3;

/** The states of a child of a batch, as a state machine. */
function childOf(props: (stack: Stack) => Partial<SlicedInferencePipelineProps>): JsonObject {
  const stack = newStack();
  const pipeline = addPipeline(stack, 'Pipeline', props(stack));
  new SlicedInferenceBatch(stack, 'Batch', {
    pipeline,
    items: BatchItems.jsonLines('lists/a'),
    itemsPerRun: 3,
  });
  const { States } = definitionOf(shortTemplate(stack), 'Batch/StateMachine');
  const map = Object.values(States).find(({ Type }) => Type === 'Map');
  const { StartAt, States: own } = map?.ItemProcessor as JsonObject;
  return { StartAt, States: own };
}

const child = childOf(() => ({ slicing: Slicing.count(SLICES) }));
const childWithPostprocess = childOf((stack) => ({
  slicing: Slicing.count(1),
  postprocess: userFunction(stack, 'Label', ''),
}));

interface Item {
  readonly index: number;
  /** Seconds that each slice computes it. */
  readonly value: number;
}

interface Pack {
  readonly until: number;
  readonly items?: readonly Item[];
  readonly resultsPrefix?: string;
}

interface Outputs {
  readonly pack: readonly { readonly outputs: { readonly entry: number } }[];
  readonly until: number;
}

interface Asked {
  readonly pack: Pack;
  readonly report?: { readonly failed: JsonObject[] };
  readonly store?: { readonly items: readonly number[] };
}

/** The functions of a pipeline, which compute no further item once there might be no time for it. */
class Functions {
  readonly failed: JsonObject[] = [];
  /** Ends the calls that still run. */
  readonly end = new AbortController();
  private computed: readonly Item[] = [];
  private left: number[] = [];

  readonly answer = async (payload: Json, clock: Clock): Promise<Json> => {
    const { pack, report, store } = payload as unknown as Asked;
    if (store !== undefined) return { results: [{ key: 'lines', items: [...store.items] }], failed: [] };
    if (Array.isArray(pack)) return await this.handle(payload as unknown as Outputs, clock);
    if (report !== undefined) {
      this.failed.push(...report.failed);
      return { key: 'failures.json' };
    }
    return await this.compute(pack, clock);
  };

  /** Each output takes as long as its item in a slice. */
  private async handle({ pack, until }: Outputs, clock: Clock): Promise<Json> {
    let answered = 0;
    for (const { outputs } of pack) {
      const ms = 1000 * this.computed[outputs.entry].value;
      if (answered > 0 && until - clock.now() < 2_000 + 2 * ms) break;
      await clock.sleep(ms, this.end.signal);
      answered++;
    }
    return { pack: Array.from({ length: answered }, () => ({ value: 1 })) };
  }

  private async compute({ until, items, resultsPrefix }: Pack, clock: Clock): Promise<Json> {
    if (items !== undefined) [this.computed, this.left] = [items, []];
    const before = this.computed;
    let reached = 0;
    for (const { value } of before) {
      const hasTime = until - clock.now() >= 5_000 + 2 * 1000 * value;
      if (reached > 0 && !hasTime) break;
      await clock.sleep(1000 * value, this.end.signal);
      reached++;
    }
    this.computed = before.slice(0, reached);
    this.left.push(...before.slice(reached).map(({ index }) => index));
    const timing = { loadMs: 0, readMs: 0, runMs: 1, writeMs: 0, memoryMb: 1769, processor: 'x' };
    if (resultsPrefix === undefined) return { timing };
    const done = this.computed.map(({ index }) => index);
    return { timing, pack: { result: `results/${done.join('-')}`, done, failed: [], left: this.left } };
  }
}

/** Runs a child with items that take these seconds in each slice. */
async function ran(...seconds: readonly number[]) {
  return await ranIn(child, seconds);
}

async function ranIn(states: JsonObject, seconds: readonly number[]) {
  jest.setSystemTime(START);
  const functions = new Functions();
  setMaxListeners(0, functions.end.signal);
  const Items = seconds.map((value, index) => ({ index, value }));
  const BatchInput = { prefix: 'outputs/b/', salt: '', index: '', execution: 'arn' };
  const result = await run(states, {
    ...{ type: 'EXPRESS', input: { Items, BatchInput }, answer: functions.answer },
    onJump: (now) => {
      jest.setSystemTime(now);
    },
  });
  functions.end.abort();
  const { results } = ('output' in result ? result.output : {}) as { results?: { items: number[] }[] };
  const done = results?.flatMap(({ items }) => items);
  return { status: result.status, seconds: result.seconds, done, failed: functions.failed };
}

test('items whose run takes two minutes are computed one by one, and what has no time is left', async () => {
  expect(await ran(40, 40, 40)).toEqual({ status: 'SUCCEEDED', seconds: 240, done: [0, 1], failed: [] });
});

test('slices share the time of several items', async () => {
  // Slice 0 has 50 s of the 150, of which two items take 44, and the third would need 49.
  const { status, done, seconds } = await ran(22, 22, 22);
  expect([status, done, seconds]).toEqual(['SUCCEEDED', [0, 1, 2], 9 * 22]);
});

/** It had 40 seconds if others waited, and otherwise the rest of the time. */
const TOO_LONG = {
  error: 'States.Timeout',
  cause: expect.stringMatching(
    /^Slice 00 took longer than the (40|[12]\d\d) seconds that its item had: .* itemsPerRun/,
  ) as string,
};
const HANGS = 10_000;

test('an item that hangs fails with its reason, and takes no other item along', async () => {
  for (let at = 0; at < 4; at++) {
    const { failed, done, status } = await ran(
      ...Array.from({ length: 4 }, (_, own) => (own === at ? HANGS : 1)),
    );
    expect([status, done?.sort()]).toEqual(['SUCCEEDED', [0, 1, 2, 3].filter((own) => own !== at)]);
    expect(failed).toEqual([{ items: [at], ...TOO_LONG }]);
  }
});

test('many items that hang leave time for others, in the first run or in one that repeats it', async () => {
  let left = [HANGS, HANGS, HANGS, HANGS, HANGS, HANGS, 1, 1];
  let runs = 0;
  while (left.includes(1)) {
    const { done = [], failed, status } = await ran(...left);
    expect(status).toBe('SUCCEEDED');
    expect(failed.length).toBeGreaterThan(0);
    left = left.filter((_, at) => !done.includes(at));
    expect(left.filter((seconds) => seconds === HANGS)).toHaveLength(6);
    expect(++runs).toBeLessThan(50);
  }
});

test('an item alone has nearly all the time of an Express execution', async () => {
  expect(await ran(90)).toMatchObject({ status: 'SUCCEEDED', seconds: 270, done: [0] });
  const { failed, ...rest } = await ran(95);
  expect(rest).toEqual({ status: 'SUCCEEDED', seconds: 275, done: [] });
  expect(failed).toMatchObject([{ items: [0], error: 'States.Timeout' }]);
});

test('a postprocess function answers each item once, and what has no time is left', async () => {
  const {
    done = [],
    failed,
    status,
  } = await ranIn(
    childWithPostprocess,
    Array.from({ length: 200 }, () => 2),
  );
  expect([status, failed]).toEqual(['SUCCEEDED', []]);
  expect(new Set(done).size).toBe(done.length);
  // Each item takes 4 seconds: of 275, a quarter of a pack's time may be left.
  expect(done.length).toBeGreaterThan(45);
  expect(done.length).toBeLessThan(275 / 4);
});
