/** Slices beside other services: which limits these break, what they cost by the rate of requests, and what a verdict says. */
import * as fc from 'fast-check';
import type { AlternativeId, WholeModel } from '../../../lib/cost/alternatives/alternative';
import { type ComparisonOptions, compareAlternatives } from '../../../lib/cost/alternatives/compare';
import { DEFAULT_ENVIRONMENT, DEFAULT_PRICES } from '../../../lib/cost/constants/defaults';
import { costModel } from '../../../lib/cost/model';
import { chainOf, outcomesOf } from '../../support/cost-fixtures';
import { cases } from '../../support/full-checks';

const BERT: WholeModel = {
  ...{ peakMemoryMb: 1400, fileBytes: 1.3e9, packedBytes: 1.3e9, activationBytes: 0, coreSeconds: 1.08 },
  ...{ requestBytes: 2048, responseBytes: 524_288 },
};

const LARGE = { peakMemoryMb: 12_400, fileBytes: 11.9e9, coreSeconds: 10, responseBytes: 5e6 };

/** The second of the sizes of a service, of which the first is the least. */
const SECOND = 1;

/** Requests per hour, if a test names no other rate. */
const RATE = 10;

/** With slices of 1,769 MB that share the model's work evenly. */
function compare(change: Partial<WholeModel> = {}, options: Partial<ComparisonOptions> = {}, slices = 8) {
  const model = { ...BERT, packedBytes: change.fileBytes ?? BERT.packedBytes, ...change };
  const { fileBytes, coreSeconds } = model;
  const demand = {
    ...{ fileBytes: fileBytes / slices, packedBytes: model.packedBytes / slices },
    coreSeconds: coreSeconds / slices,
  };
  const chain = chainOf(slices, demand, { memoryMb: 1769 });
  const plan = { slices, memoryMb: 1769, fileBytes, ...outcomesOf(costModel(options), chain) };
  const compared = compareAlternatives(model, plan, { requestsPerHour: RATE, ...options });
  const of = (id: AlternativeId) => {
    const found = compared.alternatives.find((own) => own.id === id);
    if (found === undefined) throw new Error(`no alternative ${id}`);
    return found;
  };
  return { ...compared, of };
}

it('one function may have the most memory that is allowed, also between two steps of processors', () => {
  const second = (maxMemoryMb: number) =>
    compare({}, { targets: { maxMemoryMb } }).of('one-function').at(RATE, SECOND).memoryMb;
  expect(second(1500)).toBe(1500);
  expect(second(1769)).toBe(1769);
  expect(second(2500)).toBe(1769);
});

describe('the verdict', () => {
  it.each<[what: string, Parameters<typeof compare>, choice: string | undefined, first: RegExp]>([
    [
      'one function if it is cheaper, at the rate of requests',
      [{ fileBytes: 1e7, coreSeconds: 0.06, peakMemoryMb: 140 }, { isRateAssumed: true }, 4],
      'one-function',
      /^one function \(512 MB\) is cheaper than 4 slices \(up to 1,769 MB\): \$[\d.]+ instead of \$[\d.]+ a month at 10 requests an hour \(assumed; 36\.8 % of the runs cold\)\. It is also faster warm, p50 .+ instead of .+, and cold, p50 .+ s instead of .+ s$/,
    ],
    [
      'slices if one function is cheaper, and a third of its runs are slow because they are cold',
      [],
      'slices',
      /^8 slices \(up to 1,769 MB\) are faster than one function \([\d,]+ MB\): p95 3\.\d+ s instead of 16\.\d s at 10 requests an hour \(36\.8 % of the runs cold\)\. But one function is cheaper: \$1\.\d+ instead of \$1\.\d+ a month$/,
    ],
    [
      'one function that is cheaper and faster warm, at a rate at which nearly no run is cold, with what slices are better at',
      [{}, { requestsPerHour: 100 }],
      'one-function',
      /^one function \(.* MB\) is cheaper than 8 slices .*\. It is also faster warm, p50 1\.\d+ s instead of 2\.\d+ s, but 8 slices are faster cold, p50 3\.\d+ s instead of 1\d(?:\.\d)? s$/,
    ],
    [
      'slices for a model of 12 GB',
      [LARGE, {}, 6],
      'slices',
      /^6 slices: the model needs 12,400 MB, and one function has at most 10,240 MB; the weights need 12,4\d\d MB of \/tmp/,
    ],
    [
      'slices for 2 GB if functions may have 1,024 MB',
      [{ peakMemoryMb: 2048 }, { targets: { maxMemoryMb: 1024 } }],
      'slices',
      /the model needs 2,048 MB, and one function has at most 1,024 MB/,
    ],
    [
      'slices if only they meet the latency of a cold run',
      [{}, { targets: { maxLatencyMs: 6000 }, temperature: 'cold' }],
      'slices',
      /: the p95 of a cold run is 1\d\.\d s, and at most 6 s are allowed$/,
    ],
    [
      'none if both break a limit',
      [{}, { targets: { maxLatencyMs: 1 }, temperature: 'warm' }],
      undefined,
      /^neither slices \(the p95 of a warm run .*\) nor one function: the p95/,
    ],
  ])('is %s', (_, given, choice, first) => {
    const { verdict } = compare(...given);
    expect(verdict.choice).toBe(choice);
    expect(verdict.sentences[0]).toMatch(first);
  });

  it.each([
    [
      20_000,
      {},
      /^at 20,000 requests an hour, Fargate is cheapest \(.*\): \$\d+ a month; below about ([\d,]+) requests an hour, one Lambda function is$/,
      ['one-function', 'fargate'],
    ],
    [
      1,
      { fileBytes: 2e9, peakMemoryMb: 2100 },
      /^at 1 request an hour, 8 slices are cheapest \(up to 1,769 MB\): \$0\.\d+ a month; from about ([\d,]+) requests an hour, one Lambda function is$/,
      ['slices', 'one-function'],
    ],
  ] as const)(
    'names the cheapest at %d requests an hour, and where another one is',
    (requestsPerHour, model, expected, [below, above]) => {
      const { verdict, of } = compare(model, { requestsPerHour });
      const { sentences, cheapest = '' } = verdict;
      expect(sentences[1]).toBe(cheapest);
      expect(cheapest).toMatch(expected);
      const rate = Number(expected.exec(cheapest)?.[1].replaceAll(',', ''));
      const ahead = (at: number) => of(above).at(at).dollarsPerMonth / of(below).at(at).dollarsPerMonth;
      expect([ahead(0.8 * rate) > 1, ahead(1.25 * rate) > 1]).toEqual([true, false]);
    },
  );

  it('offers a size of a service by its index, whichever is cheapest', () => {
    const fargate = compare({}, { requestsPerHour: 1000 }).of('fargate');
    const { index, size } = fargate.at(1000);
    const next = fargate.at(1000, index + 1);
    expect(fargate.at(1000, index).size).toBe(size);
    expect(next).toMatchObject({ index: index + 1, size: '1 task of 2 vCPU and 4,096 MB' });
    expect(next.dollarsPerMonth).toBeGreaterThan(fargate.at(1000).dollarsPerMonth);
  });

  it('names no rate if the same service is cheapest at every rate', () => {
    // Fargate has no task of so much memory, and one function neither.
    const { verdict } = compare({ ...LARGE, peakMemoryMb: 130_000 }, {}, 13);
    expect(verdict.cheapest).toMatch(/^at 10 requests an hour, 13 slices are cheapest \([^;]*\): [^;]*$/);
  });

  it('names only services that keep the limits', () => {
    const cheapest = (maxLatencyMs: number) =>
      compare({}, { targets: { maxLatencyMs }, temperature: 'cold' }).verdict.cheapest;
    // One function is cheaper, but takes 10 s and more.
    expect(cheapest(6000)).toMatch(
      /^at 10 requests an hour, 8 slices are cheapest .*; from about \d+ requests an hour, Fargate is$/,
    );
    expect(cheapest(1)).toBeUndefined();
  });

  it('says from which rate none keeps the limits', () => {
    // Slices cost more, one function may not have the memory, and Fargate costs less if it has many runs.
    const targets = { maxMemoryMb: 1024, maxDollarsPerMillion: 40 };
    const { cheapest } = compare({}, { targets, requestsPerHour: 1e6 }).verdict;
    expect(cheapest).toMatch(/, Fargate is cheapest .*; below about [\d,]+ requests an hour, none is$/);
  });

  it('compares the price of a month, with storage and as many cold runs as the temperature says', () => {
    const shares = { warm: 0, cold: 1, mixed: Math.exp(-1) };
    for (const temperature of ['warm', 'cold', 'mixed'] as const) {
      const share = shares[temperature];
      const { warm, cold, dollarsPerMonth } = compare({}, { temperature }).of('slices').at(RATE);
      const run = (warm.dollars ?? NaN) * (1 - share) + (cold.dollars ?? NaN) * share;
      expect(dollarsPerMonth).toBeCloseTo(730 * RATE * run + (1.3e9 / 2 ** 30) * 0.023, 9);
    }
  });
});

it.each([
  ['one-function', { peakMemoryMb: 1770 }, '1,770 MB'],
  ['one-function', { coreSeconds: 9000 }, 'a call may take at most 900 s'],
  ['fargate', { peakMemoryMb: 400 }, '1 task of 0.25 vCPU and 512 MB'],
  ['fargate', { peakMemoryMb: 2049 }, '1 task of 0.5 vCPU and 3,072 MB'],
  ['fargate', { peakMemoryMb: 33_000 }, '1 task of 8 vCPU and 36,864 MB'],
  ['fargate', { peakMemoryMb: 130_000 }, 'the model needs 130,000 MB, and a task has at most 122,880 MB'],
] as const)('the least %s of a model of %j: %s', (id, change, expected) => {
  const { size, breaks } = compare(change).of(id).at(0.01);
  expect(breaks.length > 0 ? breaks : [size]).toContainEqual(expect.stringMatching(expected));
});

it('Fargate costs the same without requests as with few, more with many, and has no price of a run', () => {
  const fargate = compare().of('fargate');
  const dollars = [0, 1, 1e6].map((rate) => fargate.at(rate).dollarsPerMonth);
  // The smallest task with 2 GB, and a load balancer.
  expect(dollars[0]).toBeCloseTo(730 * (0.25 * 0.04048 + 2 * 0.004445 + 0.0225), 6);
  expect(dollars[1]).toBe(dollars[0]);
  expect(dollars[2]).toBeGreaterThan(100 * dollars[0]);
  expect([fargate.at(1).warm.dollars, fargate.at(1).cold.dollars]).toEqual([undefined, undefined]);
});

it.each([
  // 5 MB need 6.7 MB as base64, and a payload has at most 6: a PUT and a GET each, and 10 MB for 30 days at $0.023 a month.
  [5e6, 2 * 5.4 + 211.28],
  [4e6, 0],
])(
  'one function pays for the S3 of a request and a result of %d bytes that do not fit its payload',
  (bytes, expected) => {
    const free = (group: object) => Object.fromEntries(Object.keys(group).map((name) => [name, 0])) as never;
    const prices = { ...DEFAULT_PRICES, lambda: free(DEFAULT_PRICES.lambda), cloudWatch: { logs: 0 } };
    const change = { requestBytes: bytes, responseBytes: bytes };
    const { warm } = compare(change, { prices, outputRetentionDays: 30 }).of('one-function').at(RATE);
    expect(1e6 * (warm.dollars ?? NaN)).toBeCloseTo(expected, 1);
  },
);

it("one function pays for the log lines that Lambda writes, and for more of a new sandbox's", () => {
  const logs = { callBytes: 1024, lineBytes: 4096, warmUpBytes: 4096, startBytes: 2048 };
  const dollars = (environment: typeof DEFAULT_ENVIRONMENT) => {
    const { warm, cold } = compare({}, { environment }).of('one-function').at(RATE);
    return [warm.dollars ?? NaN, cold.dollars ?? NaN];
  };
  const none = { callBytes: 0, lineBytes: 0, warmUpBytes: 0, startBytes: 0 };
  const [warm, cold] = dollars({ ...DEFAULT_ENVIRONMENT, logs });
  const [freeWarm, freeCold] = dollars({ ...DEFAULT_ENVIRONMENT, logs: none });
  // 1 and 3 KiB at $0.50 a GB.
  expect(warm - freeWarm).toBeCloseTo(0.5 / 2 ** 20, 12);
  expect(cold - freeCold).toBeCloseTo(1.5 / 2 ** 20, 12);
});

it.each([
  // Some $30 a month for 73,000 runs, and for 730,000.
  ['a price', 'fargate', { maxDollarsPerMillion: 100 }, 100, 1000, /^a million mixed runs cost \$4/],
  // A cold run takes 10 s and more, a warm one less than 2 s. Of 40 requests an hour, 2 of 100 find no function.
  ['a latency', 'one-function', { maxLatencyMs: 3000 }, 10, 40, /^the p95 of a mixed run is 1\d\.\d s, /],
] as const)('%s is a limit by the rate of requests', (_, id, targets, beyond, within, text) => {
  const own = compare({}, { targets }).of(id);
  expect(own.at(beyond).breaks).toEqual([expect.stringMatching(text)]);
  expect(own.at(within).breaks).toEqual([]);
  expect(own.at(within).dollarsPerMonth).toBeLessThan(100);
});

it('at every rate, an alternative has the cheapest of its sizes that keep the limits', () => {
  const models = fc.record({
    peakMemoryMb: fc.integer({ min: 120, max: 14_000 }),
    fileBytes: fc.integer({ min: 1e6, max: 12e9 }),
    coreSeconds: fc.double({ min: 0.01, max: 10, noNaN: true }),
  });
  const limits = fc.record(
    {
      maxLatencyMs: fc.integer({ min: 200, max: 20_000 }),
      maxDollarsPerMillion: fc.integer({ min: 5, max: 1000 }),
      quantile: fc.constantFrom('p50' as const, 'p95' as const),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(models, limits, fc.integer({ min: -8, max: 28 }), (model, targets, quarter) => {
      const perHour = 10 ** (quarter / 4);
      const free = compare(model, {}, 4);
      const slices = free.of('slices').at(perHour).dollarsPerMonth;
      for (const own of compare(model, { targets }, 4).alternatives) {
        const { breaks, dollarsPerMonth } = own.at(perHour);
        // Without limits of the user, it costs no more: but one function may have memory that makes it as fast as the slices.
        const most = Math.max(dollarsPerMonth, own.id === 'one-function' ? slices : 0);
        if (breaks.length === 0)
          expect(free.of(own.id).at(perHour).dollarsPerMonth).toBeLessThanOrEqual(most);
      }
    }),
    { numRuns: cases(20, 200) },
  );
});
