/** The time of a child: its states run on a clock that does not wait, with functions that take the time of their items. */
import { BatchItems, SlicedInferenceBatch, Slicing } from '../../../lib';
import type { Json, JsonObject } from '../../../local/json';
import type { Clock } from '../../../local/step-functions/clock';
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
const child = ((): JsonObject => {
  const stack = newStack();
  const pipeline = addPipeline(stack, 'Pipeline', { slicing: Slicing.count(SLICES) });
  new SlicedInferenceBatch(stack, 'Batch', {
    pipeline,
    items: BatchItems.jsonLines('lists/a'),
    itemsPerRun: 3,
  });
  const { States } = definitionOf(shortTemplate(stack), 'Batch/StateMachine');
  const map = Object.values(States).find(({ Type }) => Type === 'Map');
  const { StartAt, States: own } = map?.ItemProcessor as JsonObject;
  return { StartAt, States: own };
})();

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

/** The functions of a pipeline, which compute no further item once there might be no time for it. */
class Functions {
  readonly failed: JsonObject[] = [];
  /** Ends the calls that still run. */
  readonly end = new AbortController();
  private computed: readonly Item[] = [];
  private left: number[] = [];

  readonly answer = async (payload: Json, clock: Clock): Promise<Json> => {
    const { pack, report } = payload as unknown as { pack: Pack; report?: { failed: JsonObject[] } };
    if (report !== undefined) {
      this.failed.push(...report.failed);
      return { key: 'failures.json' };
    }
    return await this.compute(pack, clock);
  };

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
  jest.setSystemTime(START);
  const functions = new Functions();
  const Items = seconds.map((value, index) => ({ index, value }));
  const BatchInput = { prefix: 'outputs/b/', salt: '', index: '', execution: 'arn' };
  const result = await run(child, {
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

const TOO_LONG = {
  error: 'States.Timeout',
  cause: expect.stringMatching(/^the function must end .* at most 275 seconds: set itemsPerRun/) as string,
};

test('an item that hangs fails with its reason, and takes no item before it along', async () => {
  const { failed, ...rest } = await ran(1, 10_000, 1);
  expect(rest).toEqual({ status: 'SUCCEEDED', seconds: 275, done: [0] });
  expect(failed).toEqual([{ items: [1], ...TOO_LONG }]);
});

test('an item alone has nearly all the time of an Express execution', async () => {
  expect(await ran(90)).toMatchObject({ status: 'SUCCEEDED', seconds: 270, done: [0] });
  const { failed, ...rest } = await ran(95);
  expect(rest).toEqual({ status: 'SUCCEEDED', seconds: 275, done: [] });
  expect(failed).toEqual([{ items: [0], ...TOO_LONG }]);
});
