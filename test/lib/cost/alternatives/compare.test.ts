import * as fc from 'fast-check';
import type {
  Alternative,
  AlternativeId,
  Offer,
  WholeModel,
} from '../../../../lib/cost/alternatives/alternative';
import {
  type ComparisonOptions,
  type SlicedPlan,
  compareAlternatives,
} from '../../../../lib/cost/alternatives/compare';
import { costModel } from '../../../../lib/cost/model';
import { chainOf, outcomesOf } from '../../../support/cost-fixtures';
import { cases } from '../../../support/full-checks';

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
  const cost = costModel(options);
  const chain = chainOf(
    slices,
    { fileBytes: model.fileBytes / slices, coreSeconds: model.coreSeconds / slices },
    { memoryMb },
  );
  const { fileBytes } = model;
  return { slices, memoryMb, fileBytes, ...outcomesOf(cost, chain) };
}

function compare(model: WholeModel, slices: number, memoryMb: number, options: Options = {}) {
  const { requestsPerHour = RATE } = options;
  const { alternatives, ...rest } = compareAlternatives(model, planOf(model, slices, memoryMb, options), {
    ...options,
    requestsPerHour,
  });
  const alternative = (id: AlternativeId): Alternative => {
    const found = alternatives.find((own) => own.id === id);
    if (found === undefined) throw new Error(`no alternative ${id}`);
    return found;
  };
  const of = (id: AlternativeId): Offer => alternative(id).at(requestsPerHour);
  return { alternatives, alternative, of, ...rest };
}

function dollarsOf({ dollars }: Offer['warm']): number {
  if (dollars === undefined) throw new Error('charged by the hour');
  return dollars;
}

describe('the verdict', () => {
  it('is one function for 10 MB with a lax target', () => {
    const { verdict } = compare(SMALL, 4, 512, { targets: { maxLatencyMs: 5000 } });

    expect(verdict.choice).toBe('one-function');
    expect(verdict.sentences[0].text).toMatch(
      /^one function would do: [\d,]+ MB, \$[\d.]+ instead of \$[\d.]+ a month at 10 requests an hour \(37 % of the runs cold\), warm p50 \d+ ms instead of /,
    );
  });

  it('is slices for 12 GB, and says which limit one function breaks', () => {
    const large = { ...BERT, peakMemoryMb: 12_400, fileBytes: 11.9e9, coreSeconds: 10 };
    const { verdict, of } = compare(large, 6, 3008);

    expect(verdict.choice).toBe('slices');
    expect(verdict.sentences[0].text).toContain(
      '6 slices: the model needs 12,400 MB, and one function has at most 10,240 MB',
    );
    expect(of('one-function').breaks[1]).toMatch(/^the weights need 12,4\d\d MB of \/tmp/);
    expect(of('container-image').breaks.join()).toContain('Lambda allows 10,240 MB');
    expect(of('sagemaker-serverless').breaks[0]).toContain('at most 6,144 MB');
    expect(of('managed-instances').breaks).toEqual([]);
    expect(of('fargate').breaks).toEqual([]);
  });

  it('is slices for 2 GB if functions may have 1,024 MB', () => {
    const { verdict, of } = compare({ ...BERT, peakMemoryMb: 2048 }, 4, 1024, {
      targets: { maxMemoryMb: 1024 },
    });

    expect(verdict.choice).toBe('slices');
    expect(verdict.sentences[0].text).toContain(
      'the model needs 2,048 MB, and one function has at most 1,024 MB',
    );
    expect(of('snap-start').breaks).toHaveLength(1);
  });

  it.each([500, 1400, 3000, 6000, 9000])(
    'is one warm function for a model that peaks at %i MB',
    (peakMemoryMb) => {
      const whole = { ...BERT, peakMemoryMb, fileBytes: peakMemoryMb * 0.9e6 };

      expect(compare(whole, 8, 1769, { temperature: 'warm' }).verdict.choice).toBe('one-function');
    },
  );

  it('is slices if only they meet the latency of a cold run', () => {
    const { verdict, of } = compare(BERT, 8, 1769, { targets: { maxLatencyMs: 6000 }, temperature: 'cold' });

    expect(verdict.choice).toBe('slices');
    expect(of('one-function').breaks).toEqual([
      expect.stringMatching(/^the p95 of a cold run is 1\d\.\d s, and at most 6,000 ms are allowed$/),
    ]);
  });

  it('has no choice if both break a limit, and says which', () => {
    const { verdict } = compare(BERT, 8, 1769, {
      targets: { maxLatencyMs: 1 },
      temperature: 'warm',
    });

    expect(verdict.choice).toBeUndefined();
    expect(verdict.cheapest).toBeUndefined();
    expect(verdict.sentences[0].text).toMatch(
      /^neither slices \(the p95 of a warm run .*\) nor one function: the p95/,
    );
  });

  it('is one function if no plan was found', () => {
    const { verdict, alternatives } = compareAlternatives(SMALL, undefined, { requestsPerHour: RATE });

    expect(verdict.choice).toBe('one-function');
    expect(alternatives.map(({ id }) => id)).not.toContain('slices');
  });

  it('names the cheapest alternative at the rate of requests', () => {
    const { verdict, alternative } = compare(BERT, 8, 1769, { requestsPerHour: 20_000 });

    expect(verdict.sentences[1]).toMatchObject({ kind: 'cheapest', about: [verdict.cheapest] });
    expect(verdict.sentences[1].text).toMatch(
      /^at 20,000 requests an hour, .* is cheapest \(.*\): \$\d+ a month$/,
    );
    for (const id of ['slices', 'one-function', 'fargate'] as const) {
      expect(alternative(verdict.cheapest ?? 'slices').dollarsPerMonth(20_000)).toBeLessThanOrEqual(
        alternative(id).dollarsPerMonth(20_000),
      );
    }
  });

  it('repeats why each alternative is out', () => {
    const { verdict, alternatives } = compare({ ...BERT, responseBytes: 5e6 }, 8, 1769);
    const out = verdict.sentences.filter(({ kind }) => kind === 'out');

    expect(out.map(({ about }) => about[0])).toEqual(
      alternatives.filter((own) => own.at(RATE).breaks.length > 0).map(({ id }) => id),
    );
    expect(out.find(({ about }) => about[0] === 'sagemaker-serverless')?.text).toContain(
      'a request or result has 4.8 MB, and the endpoint takes at most 4 MB',
    );
  });
});

describe('one function', () => {
  it('costs less and answers sooner than slices when warm, and later when it must load 1.3 GB', () => {
    const { of } = compare(BERT, 8, 1769);

    const [whole, slices] = [of('one-function'), of('slices')];
    expect(dollarsOf(whole.warm)).toBeLessThan(dollarsOf(slices.warm));
    expect(whole.warm.time.quantile(0.5)).toBeLessThan(slices.warm.time.quantile(0.5));
    expect(whole.cold.time.quantile(0.5)).toBeGreaterThan(3 * slices.cold.time.quantile(0.5));
  });

  it('gets more memory if only that meets the latency', () => {
    const temperature = 'warm';
    const lax = compare(BERT, 8, 1769, { temperature }).of('one-function');
    const strict = compare(BERT, 8, 1769, { temperature, targets: { maxLatencyMs: 400 } }).of('one-function');

    expect(lax.warm.time.quantile(0.95)).toBeGreaterThan(400);
    expect(strict.breaks).toEqual([]);
    expect(dollarsOf(strict.warm)).toBeGreaterThan(dollarsOf(lax.warm));
  });

  it('writes a result to S3 if it does not fit into the response, or if it must', () => {
    const dollars = (responseBytes: number, resultInS3: boolean) =>
      dollarsOf(compare({ ...SMALL, responseBytes }, 2, 512, { resultInS3 }).of('one-function').warm);

    expect(dollars(100e3, true) - dollars(100e3, false)).toBeGreaterThan(5e-6);
    expect(dollars(6e6, false)).toBe(dollars(6e6, true));
  });

  it('with SnapStart starts sooner than without, and is charged for its cache', () => {
    const { of, alternative } = compare(BERT, 8, 1769);

    expect(of('snap-start').cold.time.quantile(0.5)).toBeLessThan(of('one-function').cold.time.quantile(0.5));
    // 1,400 MB for a month, and an image of some 1.5 GB.
    expect(alternative('snap-start').dollarsPerMonth(0)).toBeCloseTo(
      (1400 / 1024) * 0.0000015046 * 730 * 3600 + 0.145,
      1,
    );
  });
});

describe('a Lambda MicroVM', () => {
  it('is charged while it runs, for each cycle of a suspension, and for snapshots', () => {
    const { alternative, of } = compare(BERT, 8, 1769, { requestsPerHour: 1 });
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
    expect(of('micro-vm').size).toBe('1 machine of up to 1 vCPU and 2,048 MB');
    // A resume reads 1,400 MB.
    const { warm, cold } = of('micro-vm');
    expect(cold.time.quantile(0.5) - warm.time.quantile(0.5)).toBeCloseTo((1400 * 2 ** 20) / 870e3, 3);
    expect([warm.dollars, cold.dollars]).toEqual([undefined, undefined]);
  });

  it('resumes a small model in the reported time', () => {
    const { warm, cold } = compare(SMALL, 2, 512).of('micro-vm');
    expect(cold.time.quantile(0.5) - warm.time.quantile(0.5)).toBeCloseTo(700, 3);
  });

  it('never costs less for more requests of the same temperature', () => {
    const own = compare(BERT, 8, 1769, { temperature: 'warm' }).alternative('micro-vm');
    const dollars = [0, 0.1, 1, 10, 1000, 1e5, 1e7].map((rate) => own.dollarsPerMonth(rate));
    expect([...dollars].sort((a, b) => a - b)).toEqual(dollars);
    expect(own.at(1e6).size).toMatch(/^[\d,]{3,} machines /);
  });

  it.each([
    [2048, 'up to 1 vCPU and 2,048 MB', []],
    [9000, 'up to 8 vCPU and 16,384 MB', []],
    [
      40_000,
      'up to 16 vCPU and 32,768 MB',
      ['the model needs 40,000 MB, and a machine has at most 32,768 MB'],
    ],
  ])('of a model of %i MB has %s', (peakMemoryMb, size, breaks) => {
    const { size: named, breaks: broken } = compare({ ...BERT, peakMemoryMb }, 8, 1769).of('micro-vm');
    expect(named).toBe(`1 machine of ${size}`);
    expect(broken).toEqual(breaks);
  });
});

it('says that SnapStart for this runtime is announced, not confirmed', () => {
  const { alternative } = compare(BERT, 8, 1769);
  expect(alternative('snap-start').notes.join()).toContain('announced, not confirmed');
});

describe('what is always on', () => {
  it('costs the same without requests as with few', () => {
    const { alternative } = compare(BERT, 8, 1769);
    const [fargate, managed] = [alternative('fargate'), alternative('managed-instances')];

    expect(fargate.dollarsPerMonth(1)).toBe(fargate.dollarsPerMonth(0));
    // The smallest task with 2 GB, and a load balancer.
    expect(fargate.dollarsPerMonth(0)).toBeCloseTo(730 * (0.25 * 0.04048 + 2 * 0.004445 + 0.0225), 6);
    // Three instances of two vCPUs.
    expect(managed.dollarsPerMonth(0)).toBeCloseTo(730 * 3 * 2 * 0.0504 * 1.15, 6);
  });

  it('has no price of a run', () => {
    const { of } = compare(BERT, 8, 1769);

    for (const id of ['fargate', 'managed-instances', 'managed-instances-gpu'] as const) {
      expect([of(id).warm.dollars, of(id).cold.dollars]).toEqual([undefined, undefined]);
    }
  });

  it('must keep a limit on the price of a million runs with what is charged between them', () => {
    const limited = { targets: { maxDollarsPerMillion: 100 } };
    const { alternative } = compare(BERT, 8, 1769, limited);

    // Some $30 a month for 73,000 runs, and for 730,000.
    expect(alternative('fargate').at(100).breaks).toEqual([
      expect.stringMatching(/^a million mixed runs cost \$4\d\d, and at most \$100 are allowed$/),
    ]);
    expect(alternative('fargate').at(1000).breaks).toEqual([]);
  });

  it('needs more instances for more requests', () => {
    const { alternative } = compare(BERT, 8, 1769);

    for (const id of ['fargate', 'managed-instances', 'managed-instances-gpu'] as const) {
      expect(alternative(id).dollarsPerMonth(1e6)).toBeGreaterThan(2 * alternative(id).dollarsPerMonth(0));
    }
    expect(alternative('managed-instances').at(1e6).size).toMatch(/^[\d,]{3,} instances of \d+ vCPUs/);
  });

  it('serves several requests side by side if its memory holds the model several times', () => {
    const { alternative } = compare(BERT, 8, 1769);
    const whole = compare({ ...BERT, peakMemoryMb: 32_000 }, 8, 1769);

    // A request alone leaves processors idle in its serial parts, so one on each vCPU takes fewer instances.
    expect(alternative('managed-instances').at(1e6).size).toContain('requests at a time');
    expect(whole.alternative('managed-instances').at(1e6).size).not.toContain('requests at a time');
  });

  it('has a GPU only for x86_64 and for models that fit into its instance', () => {
    expect(compare(BERT, 8, 1769, { architecture: 'arm64' }).of('managed-instances-gpu').breaks).toEqual([
      'GPU instances are x86_64 only',
    ]);
    expect(compare({ ...BERT, peakMemoryMb: 17_000 }, 8, 1769).of('managed-instances-gpu').breaks).toEqual([
      'the model needs 17,000 MB, and the GPU instance has at most 16,384 MB',
    ]);
  });
});

describe('Fargate', () => {
  it.each([
    [400, '0.25 vCPU and 512 MB'],
    [1000, '0.25 vCPU and 1,024 MB'],
    [2049, '0.5 vCPU and 3,072 MB'],
    [5000, '1 vCPU and 5,120 MB'],
    [31_000, '8 vCPU and 32,768 MB'],
    [33_000, '8 vCPU and 36,864 MB'],
    [61_500, '16 vCPU and 65,536 MB'],
  ])('has a task for a model of %i MB with %s', (peakMemoryMb, size) => {
    const { alternative } = compare({ ...BERT, peakMemoryMb }, 8, 1769);

    expect(alternative('fargate').at(0.01).size).toBe(`1 task of ${size}`);
  });

  it('has no task above 120 GB', () => {
    const { of } = compare({ ...BERT, peakMemoryMb: 130_000 }, 8, 1769);

    expect(of('fargate').breaks).toEqual(['the model needs 130,000 MB, and a task has at most 122,880 MB']);
  });
});

describe('a limit on mixed runs', () => {
  it('binds by as many cold runs as the rate of requests implies', () => {
    // A cold run of one function takes 10 s and more, a warm one less than 2 s.
    const limited = { targets: { maxLatencyMs: 3000 } };
    const { alternative } = compare(BERT, 8, 1769, limited);
    const whole = alternative('one-function');

    expect(whole.at(10).breaks).toEqual([expect.stringMatching(/^the p95 of a mixed run is 1\d\.\d s, /)]);
    // Of 40 requests an hour, 2 of 100 find no function.
    expect(whole.at(40).breaks).toEqual([]);
    expect(whole.dollarsPerMonth(10)).toBe(Infinity);
    expect(whole.dollarsPerMonth(40)).toBeLessThan(10);
  });

  it('leaves out the rates at which no alternative keeps it', () => {
    const { winners, alternatives } = compare(BERT, 8, 1769, {
      targets: { maxDollarsPerMillion: 60, maxLatencyMs: 2500 },
    });

    expect(winners[0].fromPerHour).toBeGreaterThan(10);
    for (const own of alternatives) expect(own.dollarsPerMonth(1)).toBe(Infinity);
  });

  it('is the same quantity that the verdict compares', () => {
    for (const temperature of ['warm', 'cold', 'mixed'] as const) {
      const { alternative, verdict, of } = compare(BERT, 8, 1769, { temperature });
      const isWhole =
        alternative('one-function').dollarsPerMonth(RATE) <= alternative('slices').dollarsPerMonth(RATE);
      expect(verdict.choice).toBe(isWhole ? 'one-function' : 'slices');
      const { warm, cold, dollarsPerMonth } = of('slices');
      const share = { warm: 0, cold: 1, mixed: Math.exp(-1) }[temperature];
      const run = dollarsOf(warm) * (1 - share) + dollarsOf(cold) * share;
      // And the storage of 1.3 GB.
      expect(dollarsPerMonth).toBeCloseTo(730 * RATE * run + (1.3e9 / 2 ** 30) * 0.023, 9);
    }
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
        const { alternatives, winners } = compareAlternatives(model, planOf(model, 4, 3008), {
          requestsPerHour: RATE,
          targets: limits,
        });
        for (let power = -2; power <= 7; power += 0.25) {
          const perHour = 10 ** power;
          const least = Math.min(...alternatives.map((own) => own.dollarsPerMonth(perHour)));
          const winner = winners.find(
            ({ fromPerHour, toPerHour }) => fromPerHour <= perHour * (1 + 1e-9) && perHour < toPerHour,
          );
          const own = alternatives.find(({ id }) => id === winner?.id);
          if (perHour < 1e7 * (1 - 1e-9))
            expect(own?.dollarsPerMonth(perHour) ?? Infinity).toBeLessThanOrEqual(least * (1 + 1e-6));
          for (const alternative of alternatives) {
            const { breaks, dollarsPerMonth } = alternative.at(perHour);
            expect(alternative.dollarsPerMonth(perHour)).toBe(breaks.length > 0 ? Infinity : dollarsPerMonth);
          }
        }
      }),
      { numRuns: cases(4, 24) },
    );
  });

  it('does not decide the memory of one function at other rates', () => {
    const { alternative } = compare(BERT, 8, 1769);
    const sizes = [0.1, 1, 10, 100, 1000].map((perHour) => alternative('one-function').at(perHour));

    // Cold runs load longer than they compute, so that memory which is good for warm runs costs more.
    expect(new Set(sizes.map(({ size }) => size)).size).toBeGreaterThan(1);
  });
});
