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

/** A picture model of 10 MB that computes 0.06 s. */
const SMALL: WholeModel = {
  peakMemoryMb: 140,
  fileBytes: 10e6,
  coreSeconds: 0.06,
  requestBytes: 315e3,
  responseBytes: 1.8e6,
};

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
  it('is one function for 10 MB with a lax target, with or without a plan', () => {
    const { verdict } = compare(SMALL, { targets: { maxLatencyMs: 5000 } }, 4);
    expect(verdict.choice).toBe('one-function');
    expect(verdict.sentences[0]).toMatch(
      /^one function would do: [\d,]+ MB, \$[\d.]+ instead of \$[\d.]+ a month at 10 requests an hour \(37 % of the runs cold\), warm p50 \d+ ms instead of /,
    );
    const alone = compareAlternatives(SMALL, undefined, { requestsPerHour: RATE });
    expect(alone.verdict.choice).toBe('one-function');
    expect(alone.alternatives.map(({ id }) => id)).not.toContain('slices');
  });

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
      'a request or result has 4.8 MB, and the endpoint takes at most 4 MB',
    );
    expect([...of('managed-instances').breaks, ...of('fargate').breaks]).toEqual([]);
  });

  it('is slices for 2 GB if functions may have 1,024 MB', () => {
    const { verdict, of } = compare({ peakMemoryMb: 2048 }, { targets: { maxMemoryMb: 1024 } }, 4);
    expect(verdict.choice).toBe('slices');
    expect(verdict.sentences[0]).toContain('the model needs 2,048 MB, and one function has at most 1,024 MB');
    expect(of('snap-start').breaks).toHaveLength(1);
  });

  it.each([500, 3000, 9000])('is one warm function for a model that peaks at %i MB', (peakMemoryMb) => {
    const whole = { peakMemoryMb, fileBytes: peakMemoryMb * 0.9e6 };
    expect(compare(whole, { temperature: 'warm' }).verdict.choice).toBe('one-function');
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

  it('names the cheapest alternative at the rate of requests', () => {
    const { verdict, alternatives } = compare({}, { requestsPerHour: 20_000 });
    const cheapest = alternatives.reduce((a, b) =>
      b.dollarsPerMonth(20_000) < a.dollarsPerMonth(20_000) ? b : a,
    );
    expect(verdict.sentences[1]).toMatch(
      new RegExp(`^at 20,000 requests an hour, ${cheapest.name} is cheapest \\(.*\\): \\$\\d+ a month$`),
    );
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

  it('writes a result to S3 if it does not fit into the response, or if it must', () => {
    const dollars = (responseBytes: number, resultInS3: boolean) =>
      dollarsOf(compare({ ...SMALL, responseBytes }, { resultInS3 }, 2).of('one-function').warm);
    expect(dollars(100e3, true) - dollars(100e3, false)).toBeGreaterThan(5e-6);
    expect(dollars(6e6, false)).toBe(dollars(6e6, true));
  });

  it('with SnapStart starts sooner than without, is charged for its cache, and is not confirmed', () => {
    const { of, alternative } = compare();
    expect(medianOf(of('snap-start').cold)).toBeLessThan(medianOf(of('one-function').cold));
    const snapStart = alternative('snap-start');
    // 1,400 MB for a month, and an image of some 1.5 GB.
    expect(snapStart.dollarsPerMonth(0)).toBeCloseTo((1400 / 1024) * 0.0000015046 * 730 * 3600 + 0.145, 1);
    expect(snapStart.notes.join()).toContain('announced, not confirmed');
  });
});

describe('a Lambda MicroVM', () => {
  it('is charged while it runs, for each cycle of a suspension, and for snapshots', () => {
    const { alternative, of } = compare({}, { requestsPerHour: 1 });
    // The smallest machine has a quarter of a vCPU and computes on one. The result takes 0.5 s at 1 MB/s.
    const computing = 1.08;
    const busy = computing + (2048 + 524_288) / 1e6;
    const rate = 1 / 3600;
    const running = (1 - Math.exp(-rate * (busy + 360))) / rate;
    const gb = 1400 / 1024;
    const request =
      running * (0.25 * 0.0000276944 + gb * 0.0000036667) +
      computing * 0.75 * 0.0000276944 +
      Math.exp(-0.1) * gb * (0.00155 + 0.0038);
    const image = (1.3e9 / 2 ** 20 + 250) / 1024;
    expect(alternative('micro-vm').dollarsPerMonth(1)).toBeCloseTo(
      730 * request + (image + 2 * gb) * 0.08,
      6,
    );
    const { size, warm, cold } = of('micro-vm');
    expect([size, warm.dollars, cold.dollars]).toEqual([
      '1 machine of up to 1 vCPU and 2,048 MB',
      undefined,
      undefined,
    ]);
    // A resume reads 1,400 MB, or takes the reported time of a small model.
    expect(medianOf(cold) - medianOf(warm)).toBeCloseTo((1400 * 2 ** 20) / 870e3, 3);
    const small = compare(SMALL).of('micro-vm');
    expect(medianOf(small.cold) - medianOf(small.warm)).toBeCloseTo(700, 3);
  });

  it('never costs less for more requests of the same temperature', () => {
    const own = compare({}, { temperature: 'warm' }).alternative('micro-vm');
    const dollars = [0, 0.1, 1, 10, 1000, 1e5, 1e7].map((rate) => own.dollarsPerMonth(rate));
    expect([...dollars].sort((a, b) => a - b)).toEqual(dollars);
    expect(own.at(1e6).size).toMatch(/^[\d,]{3,} machines /);
  });
});

it.each([
  ['micro-vm', 2048, '1 machine of up to 1 vCPU and 2,048 MB'],
  ['micro-vm', 9000, '1 machine of up to 8 vCPU and 16,384 MB'],
  ['micro-vm', 40_000, 'the model needs 40,000 MB, and a machine has at most 32,768 MB'],
  ['managed-instances-gpu', 17_000, 'the model needs 17,000 MB, and the GPU instance has at most 16,384 MB'],
  ['fargate', 400, '1 task of 0.25 vCPU and 512 MB'],
  ['fargate', 1000, '1 task of 0.25 vCPU and 1,024 MB'],
  ['fargate', 2049, '1 task of 0.5 vCPU and 3,072 MB'],
  ['fargate', 5000, '1 task of 1 vCPU and 5,120 MB'],
  ['fargate', 31_000, '1 task of 8 vCPU and 32,768 MB'],
  ['fargate', 33_000, '1 task of 8 vCPU and 36,864 MB'],
  ['fargate', 61_500, '1 task of 16 vCPU and 65,536 MB'],
  ['fargate', 130_000, 'the model needs 130,000 MB, and a task has at most 122,880 MB'],
] as const)('the least %s of a model of %i MB: %s', (id, peakMemoryMb, expected) => {
  const { size, breaks } = compare({ peakMemoryMb }).alternative(id).at(0.01);
  expect(breaks.length > 0 ? breaks : [size]).toEqual([expected]);
});

describe('what is always on', () => {
  const STANDING = ['fargate', 'managed-instances', 'managed-instances-gpu'] as const;
  const { alternative, of } = compare();

  it('costs the same without requests as with few, and has no price of a run', () => {
    expect(alternative('fargate').dollarsPerMonth(1)).toBe(alternative('fargate').dollarsPerMonth(0));
    // The smallest task with 2 GB, and a load balancer; three instances of two vCPUs.
    const task = 730 * (0.25 * 0.04048 + 2 * 0.004445 + 0.0225);
    expect(alternative('fargate').dollarsPerMonth(0)).toBeCloseTo(task, 6);
    expect(alternative('managed-instances').dollarsPerMonth(0)).toBeCloseTo(730 * 3 * 2 * 0.0504 * 1.15, 6);
    for (const id of STANDING)
      expect([of(id).warm.dollars, of(id).cold.dollars]).toEqual([undefined, undefined]);
  });

  it('must keep a limit on the price of a million runs with what is charged between them', () => {
    const fargate = compare({}, { targets: { maxDollarsPerMillion: 100 } }).alternative('fargate');
    // Some $30 a month for 73,000 runs, and for 730,000.
    expect(fargate.at(100).breaks).toEqual([
      expect.stringMatching(/^a million mixed runs cost \$4\d\d, and at most \$100 are allowed$/),
    ]);
    expect(fargate.at(1000).breaks).toEqual([]);
  });

  it.each(STANDING)('needs more instances for more requests: %s', (id) => {
    expect(alternative(id).dollarsPerMonth(1e6)).toBeGreaterThan(2 * alternative(id).dollarsPerMonth(0));
  });

  it('serves several requests side by side if its memory holds the model several times', () => {
    const sizes = [{}, { peakMemoryMb: 32_000 }].map(
      (model) => compare(model).alternative('managed-instances').at(1e6).size,
    );
    // A request alone leaves processors idle in its serial parts, so one on each vCPU takes fewer instances.
    expect(sizes[0]).toMatch(/^[\d,]{3,} instances of \d+ vCPUs.* requests at a time/);
    expect(sizes[1]).not.toContain('requests at a time');
  });

  it('has a GPU only for x86_64', () => {
    expect(compare({}, { architecture: 'arm64' }).of('managed-instances-gpu').breaks).toEqual([
      'GPU instances are x86_64 only',
    ]);
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

  it('leaves out the rates at which no alternative keeps it', () => {
    const limited = compare({}, { targets: { maxDollarsPerMillion: 60, maxLatencyMs: 2500 } });
    expect(limited.winners[0].fromPerHour).toBeGreaterThan(10);
    for (const own of limited.alternatives) expect(own.dollarsPerMonth(1)).toBe(Infinity);
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

describe('the rate for which a verdict is given', () => {
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
  const rate = fc.double({ min: -2, max: 7, noNaN: true }).map((power) => 10 ** power);

  it('moves neither the borders between alternatives nor their prices', () => {
    fc.assert(
      fc.property(models, targets, rate, rate, (model, limits, first, second) => {
        const plan = planOf(model, 4, 3008);
        const [one, other] = [first, second].map((requestsPerHour) =>
          compareAlternatives(model, plan, { requestsPerHour, targets: limits }),
        );
        expect(one.winners).toEqual(other.winners);
        for (const [index, own] of one.alternatives.entries())
          expect(own.dollarsPerMonth(first)).toBe(other.alternatives[index].dollarsPerMonth(first));
      }),
      { numRuns: cases(4, 24) },
    );
  });

  it('has the winner that is the cheapest of all sizes of all alternatives, on a grid of rates', () => {
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
});

describe('the winners by rate', () => {
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

  it('cover all rates, and each is cheapest at every rate of its range', () => {
    const lines = fc.uniqueArray(
      fc.record({
        id: fc.constantFrom<AlternativeId[]>('slices', 'one-function', 'micro-vm', 'snap-start', 'fargate'),
        standing: fc.double({ min: 0, max: 1000, noNaN: true }),
        perRate: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      { minLength: 1, maxLength: 5, selector: ({ id }) => id },
    );
    fc.assert(
      fc.property(lines, fc.double({ min: 0, max: 1, noNaN: true }), (given, share) => {
        const all = given.map(({ id, standing, perRate }) => priced(id, (rate) => standing + perRate * rate));
        const ranges = winners(all);
        expect(ranges[0].fromPerHour).toBe(LEAST_RATE);
        expect(ranges[ranges.length - 1].toPerHour).toBe(GREATEST_RATE);
        for (const [index, { id, fromPerHour, toPerHour }] of ranges.entries()) {
          if (index > 0) expect(fromPerHour).toBe(ranges[index - 1].toPerHour);
          const rate = fromPerHour * (toPerHour / fromPerHour) ** share;
          const least = Math.min(...all.map((own) => own.dollarsPerMonth(rate)));
          // Rates of a change are exact to nine digits.
          const own = all.find((each) => each.id === id)?.dollarsPerMonth(rate);
          expect(own).toBeLessThanOrEqual(least * (1 + 1e-6) + 1e-9);
        }
      }),
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
  const FUNCTION = 'one Lambda function with weights from S3';
  /** The alternatives of which each is cheapest from its index on, in requests an hour. */
  const sentences = (...ids: AlternativeId[]): readonly string[] => {
    const ranges = ids.map((id, index): Winner => ({
      id,
      fromPerHour: index === 0 ? LEAST_RATE : index,
      toPerHour: index === ids.length - 1 ? GREATEST_RATE : index + 1,
    }));
    return verdictOf(alternatives, ranges, requests).sentences.slice(2);
  };

  it.each<[AlternativeId[], string[]]>([
    [
      ['slices', 'one-function', 'fargate'],
      [
        '4 slices are cheapest below 1 request an hour',
        `${FUNCTION} is cheapest from 1 to 2 requests an hour`,
        'Fargate is cheapest from 2 requests an hour on',
      ],
    ],
    [['fargate'], ['Fargate is cheapest at every rate']],
    [
      ['slices', 'one-function', 'fargate', 'one-function', 'fargate', 'managed-instances'],
      [
        '4 slices are cheapest below 1 request an hour',
        `${FUNCTION} is cheapest from 1 to 2 requests an hour`,
        `Fargate and ${FUNCTION} take turns as the cheapest from 2 to 4 requests an hour, because instances come in whole numbers`,
        'Fargate is cheapest from 4 to 5 requests an hour',
        'Lambda Managed Instances is cheapest from 5 requests an hour on',
      ],
    ],
    [
      ['fargate', 'slices', 'fargate'],
      [
        'Fargate is cheapest below 1 request an hour',
        '4 slices are cheapest from 1 to 2 requests an hour',
        'Fargate is cheapest from 2 requests an hour on',
      ],
    ],
    [
      ['sagemaker-serverless'],
      [
        'SageMaker Serverless Inference is cheapest at every rate; the time of its cold starts, and that they cost nothing, are guesses',
      ],
    ],
  ])('about %j', (ids, expected) => {
    expect(sentences(...ids)).toEqual(expected);
  });

  it.each<[Partial<Requests>, string]>([
    [{}, ' a month at 10 requests an hour (assumed; 37 % of the runs cold), '],
    [
      { isRateAssumed: false, requestsPerHour: 1, coldShare: 0.9 },
      ' a month at 1 request an hour (90 % of the runs cold), ',
    ],
    [{ temperature: 'warm', coldShare: 0 }, '(assumed; all runs warm)'],
    [{ temperature: 'cold', coldShare: 1 }, '(assumed; all runs cold)'],
  ])('say at which rate they hold: %j', (change, text) => {
    expect(verdictOf(alternatives, [], { ...requests, ...change }).sentences[0]).toContain(text);
  });
});
