import * as fc from 'fast-check';
import type {
  Alternative,
  AlternativeId,
  Offer,
  WholeModel,
} from '../../../lib/cost/alternatives/alternative';
import {
  type ComparisonOptions,
  type SlicedPlan,
  compareAlternatives,
} from '../../../lib/cost/alternatives/compare';
import {
  type Requests,
  type Winner,
  verdictOf,
  GREATEST_RATE,
  LEAST_RATE,
  winners,
} from '../../../lib/cost/alternatives/verdict';
import { costModel } from '../../../lib/cost/model';
import { chainOf, outcomesOf } from '../../support/cost-fixtures';
import { cases } from '../../support/full-checks';

const BERT: WholeModel = {
  peakMemoryMb: 1400,
  fileBytes: 1.3e9,
  coreSeconds: 1.08,
  requestBytes: 2048,
  responseBytes: 524_288,
};

type Options = Partial<ComparisonOptions>;

/** Requests per hour, if a test names no other rate. */
const RATE = 10;

/** Slices that share the model's work evenly. */
function planOf(model: WholeModel, slices: number, memoryMb: number, options: Options = {}): SlicedPlan {
  const { fileBytes, coreSeconds } = model;
  const demand = { fileBytes: fileBytes / slices, coreSeconds: coreSeconds / slices };
  return {
    slices,
    memoryMb,
    fileBytes,
    ...outcomesOf(costModel(options), chainOf(slices, demand, { memoryMb })),
  };
}

/** With eight slices of 1,769 MB. */
function compare(change: Partial<WholeModel> = {}, options: Options = {}, slices = 8) {
  const model = { ...BERT, ...change };
  const { requestsPerHour = RATE } = options;
  const plan = planOf(model, slices, 1769, options);
  const { alternatives, ...rest } = compareAlternatives(model, plan, { ...options, requestsPerHour });
  const alternative = (id: AlternativeId): Alternative => {
    const found = alternatives.find((own) => own.id === id);
    if (found === undefined) throw new Error(`no alternative ${id}`);
    return found;
  };
  return {
    ...{ alternatives, alternative, ...rest },
    of: (id: AlternativeId): Offer => alternative(id).at(requestsPerHour),
  };
}

function dollarsOf({ dollars }: Offer['warm']): number {
  if (dollars === undefined) throw new Error('charged by the hour');
  return dollars;
}

const medianOf = ({ time }: Offer['warm']): number => time.quantile(0.5);

describe('the choice', () => {
  it('is slices for 12 GB, and says which limits one function breaks', () => {
    const large = { peakMemoryMb: 12_400, fileBytes: 11.9e9, coreSeconds: 10, responseBytes: 5e6 };
    const { verdict, of } = compare(large, {}, 6);
    expect(verdict.choice).toBe('slices');
    expect(verdict.sentences[0]).toContain(
      '6 slices: the model needs 12,400 MB, and one function has at most 10,240 MB',
    );
    expect(of('one-function').breaks.at(-1)).toMatch(/^the weights need 12,4\d\d MB of \/tmp/);
    expect(of('container-image').breaks.join()).toContain('Lambda allows 10,240 MB');
    expect(of('sagemaker-serverless').breaks.join()).toContain('at most 6,144 MB');
    expect(of('sagemaker-serverless').breaks).toContain(
      'a request or result has 4.8 MB, and an endpoint takes 4 MB',
    );
    expect(of('fargate').breaks).toEqual([]);
  });

  it('is slices for 2 GB if functions may have 1,024 MB', () => {
    const { verdict, of } = compare({ peakMemoryMb: 2048 }, { targets: { maxMemoryMb: 1024 } }, 4);
    expect(verdict.choice).toBe('slices');
    expect(verdict.sentences[0]).toContain('the model needs 2,048 MB, and one function has at most 1,024 MB');
    expect(of('container-image').breaks).toHaveLength(1);
  });

  it('is slices if only they meet the latency of a cold run', () => {
    const { verdict, of } = compare({}, { targets: { maxLatencyMs: 6000 }, temperature: 'cold' });
    expect(verdict.choice).toBe('slices');
    expect(of('one-function').breaks).toEqual([
      expect.stringMatching(/^the p95 of a cold run is 1\d\.\d s, and at most 6,000 ms are allowed$/),
    ]);
  });

  it('is none if both break a limit', () => {
    const { choice, sentences } = compare({}, { targets: { maxLatencyMs: 1 }, temperature: 'warm' }).verdict;
    expect(choice).toBeUndefined();
    expect(sentences).toEqual([
      expect.stringMatching(/^neither slices \(the p95 of a warm run .*\) nor one function: the p95/),
    ]);
  });
});

describe('one function', () => {
  it('costs less and answers sooner than slices when warm, and later when it must load 1.3 GB', () => {
    const { of } = compare();
    const [whole, slices] = [of('one-function'), of('slices')];
    expect(dollarsOf(whole.warm)).toBeLessThan(dollarsOf(slices.warm));
    expect(medianOf(whole.warm)).toBeLessThan(medianOf(slices.warm));
    expect(medianOf(whole.cold)).toBeGreaterThan(3 * medianOf(slices.cold));
  });

  it('gets more memory if only that meets the latency, and at some rates', () => {
    const lax = compare({}, { temperature: 'warm' }).of('one-function');
    const targets = { maxLatencyMs: 400 };
    const strict = compare({}, { temperature: 'warm', targets }).of('one-function');
    expect(lax.warm.time.quantile(0.95)).toBeGreaterThan(400);
    expect(strict.breaks).toEqual([]);
    expect(dollarsOf(strict.warm)).toBeGreaterThan(dollarsOf(lax.warm));
    // Cold runs load longer than they compute, so that memory which is good for warm runs costs more.
    const own = compare().alternative('one-function');
    expect(new Set([0.1, 1000].map((perHour) => own.at(perHour).size)).size).toBe(2);
  });
});

it.each([
  ['sagemaker-serverless', 1025, '2,048 MB'],
  ['sagemaker-serverless', 7000, 'the model needs 7,000 MB, and an endpoint has at most 6,144 MB'],
  ['fargate', 400, '1 task of 0.25 vCPU and 512 MB'],
  ['fargate', 2049, '1 task of 0.5 vCPU and 3,072 MB'],
  ['fargate', 33_000, '1 task of 8 vCPU and 36,864 MB'],
  ['fargate', 130_000, 'the model needs 130,000 MB, and a task has at most 122,880 MB'],
] as const)('the least %s of a model of %i MB: %s', (id, peakMemoryMb, expected) => {
  const { size, breaks } = compare({ peakMemoryMb }).alternative(id).at(0.01);
  expect(breaks.length > 0 ? breaks : [size]).toEqual([expected]);
});

describe('what is always on', () => {
  const { alternative, of } = compare();

  it('costs the same without requests as with few, more with many, and has no price of a run', () => {
    const dollars = [0, 1, 1e6].map((rate) => alternative('fargate').dollarsPerMonth(rate));
    // The smallest task with 2 GB, and a load balancer.
    expect(dollars[0]).toBeCloseTo(730 * (0.25 * 0.04048 + 2 * 0.004445 + 0.0225), 6);
    expect(dollars[1]).toBe(dollars[0]);
    expect(dollars[2]).toBeGreaterThan(100 * dollars[0]);
    expect([of('fargate').warm.dollars, of('fargate').cold.dollars]).toEqual([undefined, undefined]);
  });

  it('must keep a limit on the price of a million runs with what is charged between them', () => {
    const fargate = compare({}, { targets: { maxDollarsPerMillion: 100 } }).alternative('fargate');
    // Some $30 a month for 73,000 runs, and for 730,000.
    expect(fargate.at(100).breaks).toEqual([
      expect.stringMatching(/^a million mixed runs cost \$4\d\d, and at most \$100 are allowed$/),
    ]);
    expect(fargate.at(1000).breaks).toEqual([]);
  });
});

describe('a limit on mixed runs', () => {
  it('binds by as many cold runs as the rate of requests implies', () => {
    // A cold run of one function takes 10 s and more, a warm one less than 2 s.
    const whole = compare({}, { targets: { maxLatencyMs: 3000 } }).alternative('one-function');
    expect(whole.at(10).breaks).toEqual([expect.stringMatching(/^the p95 of a mixed run is 1\d\.\d s, /)]);
    // Of 40 requests an hour, 2 of 100 find no function.
    expect(whole.at(40).breaks).toEqual([]);
    expect(whole.dollarsPerMonth(10)).toBe(Infinity);
    expect(whole.dollarsPerMonth(40)).toBeLessThan(10);
  });

  it.each([
    ['warm', 0],
    ['cold', 1],
    ['mixed', Math.exp(-1)],
  ] as const)('is the same quantity that the verdict compares: %s', (temperature, share) => {
    const { alternative, verdict, of } = compare({}, { temperature });
    const isWhole =
      alternative('one-function').dollarsPerMonth(RATE) <= alternative('slices').dollarsPerMonth(RATE);
    expect(verdict.choice).toBe(isWhole ? 'one-function' : 'slices');
    const { warm, cold, dollarsPerMonth } = of('slices');
    const run = dollarsOf(warm) * (1 - share) + dollarsOf(cold) * share;
    // And the storage of 1.3 GB.
    expect(dollarsPerMonth).toBeCloseTo(730 * RATE * run + (1.3e9 / 2 ** 30) * 0.023, 9);
  });
});

describe('the winners by rate', () => {
  const models = fc.record({
    peakMemoryMb: fc.integer({ min: 120, max: 14_000 }),
    fileBytes: fc.integer({ min: 1e6, max: 12e9 }),
    coreSeconds: fc.double({ min: 0.01, max: 10, noNaN: true }),
    requestBytes: fc.constant(2048),
    responseBytes: fc.constant(500_000),
  });
  const targets = fc.record(
    {
      maxLatencyMs: fc.integer({ min: 200, max: 20_000 }),
      maxDollarsPerMillion: fc.integer({ min: 5, max: 1000 }),
      quantile: fc.constantFrom('p50' as const, 'p95' as const),
    },
    { requiredKeys: [] },
  );

  it('are the cheapest of all sizes of all alternatives, on a grid of rates', () => {
    fc.assert(
      fc.property(models, targets, (model, limits) => {
        const compared = compareAlternatives(model, planOf(model, 4, 3008), {
          requestsPerHour: RATE,
          targets: limits,
        });
        for (let power = -2; power <= 7; power += 0.25) {
          const perHour = 10 ** power;
          const least = Math.min(...compared.alternatives.map((own) => own.dollarsPerMonth(perHour)));
          const winner = compared.winners.find(
            ({ fromPerHour, toPerHour }) => fromPerHour <= perHour * (1 + 1e-9) && perHour < toPerHour,
          );
          const own = compared.alternatives.find(({ id }) => id === winner?.id);
          if (perHour < 1e7 * (1 - 1e-9))
            expect(own?.dollarsPerMonth(perHour) ?? Infinity).toBeLessThanOrEqual(least * (1 + 1e-6));
          for (const alternative of compared.alternatives) {
            const { breaks, dollarsPerMonth } = alternative.at(perHour);
            expect(alternative.dollarsPerMonth(perHour)).toBe(breaks.length > 0 ? Infinity : dollarsPerMonth);
          }
        }
      }),
      { numRuns: cases(4, 24) },
    );
  });

  const priced = (id: AlternativeId, dollarsPerMonth: (rate: number) => number) => ({ id, dollarsPerMonth });
  const near = (rate: number) => expect.closeTo(rate, 5) as number;
  const [perRun, always] = [priced('slices', (rate) => 0.07 * rate), priced('fargate', () => 30)];

  it.each([
    ['change where two prices cross', [perRun, always], [LEAST_RATE, 30 / 0.07]],
    ['are none without alternatives', [], []],
    ['are one if it is always cheapest', [always, priced('slices', () => 40)], [LEAST_RATE]],
    ['leave out broken limits', [priced('fargate', (rate) => (rate < 5 ? Infinity : 30))], [5]],
  ])('%s', (_, given, starts) => {
    const ends = starts.length > 0 ? [...starts.slice(1), GREATEST_RATE] : [];
    expect(winners(given).map(({ fromPerHour, toPerHour }) => [fromPerHour, toPerHour])).toEqual(
      starts.map((start, index) => [near(start), near(ends[index])]),
    );
  });
});

describe('the sentences of a verdict', () => {
  /** A model of 400 MB, which every service can run. */
  const { alternatives } = compare(
    { peakMemoryMb: 512, fileBytes: 4e8, coreSeconds: 0.1, responseBytes: 1_000 },
    {},
    4,
  );
  const requests: Requests = {
    ...{ requestsPerHour: 10, isRateAssumed: true, temperature: 'mixed', coldShare: Math.exp(-1) },
  };
  /** The alternatives of which each is cheapest from its index on, in requests an hour. */
  const sentences = (...ids: AlternativeId[]): readonly string[] => {
    const ranges = ids.map((id, index): Winner => ({
      id,
      fromPerHour: index === 0 ? LEAST_RATE : index,
      toPerHour: index === ids.length - 1 ? GREATEST_RATE : index + 1,
    }));
    return verdictOf(alternatives, ranges, requests).sentences.slice(2);
  };

  it('name at most five ranges', () => {
    const name = 'one Lambda function with weights from S3';
    expect(sentences('slices', 'one-function')).toEqual([
      `the cheapest by requests an hour: 4 slices from 0.01 to 1, ${name} from 1 on`,
    ]);
    const [turns] = sentences(...([1, 2, 3].flatMap(() => ['slices', 'fargate']) as AlternativeId[]));
    expect(turns).toMatch(/4 slices from 4 to 5, and 1 more ranges$/);
  });

  it.each<[Partial<Requests>, string]>([
    [{}, ' a month at 10 requests an hour (assumed; 37 % of the runs cold), '],
    [
      { isRateAssumed: false, requestsPerHour: 1, coldShare: 0.9 },
      ' a month at 1 request an hour (90 % of the runs cold), ',
    ],
    [{ temperature: 'warm', coldShare: 0 }, '(assumed; all runs warm)'],
  ])('say at which rate they hold: %j', (change, text) => {
    expect(verdictOf(alternatives, [], { ...requests, ...change }).sentences[0]).toContain(text);
  });
});
