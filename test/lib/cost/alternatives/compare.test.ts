import { chainTotals } from '../../../../lib/cost/chain';
import type { Alternative, AlternativeId, WholeModel } from '../../../../lib/cost/alternatives/alternative';
import type { ComparisonOptions, SlicedPlan } from '../../../../lib/cost/alternatives/compare';
import { compareAlternatives } from '../../../../lib/cost/alternatives/compare';
import { costModel } from '../../../../lib/cost/model';
import { chainOf } from '../../../support/cost-fixtures';

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

/** Slices that share the model's work evenly. */
function planOf(
  model: WholeModel,
  slices: number,
  memoryMb: number,
  options: ComparisonOptions = {},
): SlicedPlan {
  const cost = costModel(options);
  const chain = chainOf(
    slices,
    { fileBytes: model.fileBytes / slices, coreSeconds: model.coreSeconds / slices },
    { memoryMb },
  );
  const totals = chainTotals(
    chain.map(({ demand, choice }) => ({ cost: cost.step(demand, choice), writesTo: choice.writesTo })),
    cost.warmsUp,
  );
  const { fileBytes } = model;
  return { slices, memoryMb, fileBytes, warm: cost.run(totals, 'warm'), cold: cost.run(totals, 'cold') };
}

function compare(model: WholeModel, slices: number, memoryMb: number, options: ComparisonOptions = {}) {
  const { alternatives, ...rest } = compareAlternatives(
    model,
    planOf(model, slices, memoryMb, options),
    options,
  );
  const of = (id: AlternativeId): Alternative => {
    const found = alternatives.find((own) => own.id === id);
    if (found === undefined) throw new Error(`no alternative ${id}`);
    return found;
  };
  return { alternatives, of, ...rest };
}

describe('the verdict', () => {
  it('is one function for 10 MB with a lax target', () => {
    const { verdict } = compare(SMALL, 4, 512, { targets: { maxLatencyMs: 5000 } });

    expect(verdict.choice).toBe('one-function');
    expect(verdict.sentences[0].text).toMatch(
      /^one function would do: [\d,]+ MB, \$[\d.]+ instead of \$\d+ for a million warm runs, warm p50 \d+ ms instead of /,
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

      expect(compare(whole, 8, 1769).verdict.choice).toBe('one-function');
    },
  );

  it('is slices if only they meet the latency of a cold run', () => {
    const { verdict, of } = compare(BERT, 8, 1769, { targets: { maxLatencyMs: 6000, temperature: 'cold' } });

    expect(verdict.choice).toBe('slices');
    expect(of('one-function').breaks).toEqual([
      expect.stringMatching(/^the p95 of a cold run is 1\d\.\d s, and at most 6,000 ms are allowed$/),
    ]);
  });

  it('has no choice if both break a limit, and says which', () => {
    const { verdict } = compare(BERT, 8, 1769, { targets: { maxLatencyMs: 1 } });

    expect(verdict.choice).toBeUndefined();
    expect(verdict.cheapest).toBeUndefined();
    expect(verdict.sentences[0].text).toMatch(
      /^neither slices \(the p95 of a warm run .*\) nor one function: the p95/,
    );
  });

  it('is one function if no plan was found', () => {
    const { verdict, alternatives } = compareAlternatives(SMALL, undefined);

    expect(verdict.choice).toBe('one-function');
    expect(alternatives.map(({ id }) => id)).not.toContain('slices');
  });

  it('names the cheapest alternative at the rate of requests', () => {
    const { verdict, of } = compare(BERT, 8, 1769, { requestsPerHour: 20_000 });

    expect(verdict.sentences[1]).toMatchObject({ kind: 'cheapest', about: [verdict.cheapest] });
    expect(verdict.sentences[1].text).toMatch(
      /^at 20,000 requests an hour, .* is cheapest \(.*\): \$\d+ a month$/,
    );
    for (const id of ['slices', 'one-function', 'fargate'] as const) {
      expect(of(verdict.cheapest ?? 'slices').dollarsPerMonth(20_000)).toBeLessThanOrEqual(
        of(id).dollarsPerMonth(20_000),
      );
    }
  });

  it('repeats why each alternative is out', () => {
    const { verdict, alternatives } = compare({ ...BERT, responseBytes: 5e6 }, 8, 1769);
    const out = verdict.sentences.filter(({ kind }) => kind === 'out');

    expect(out.map(({ about }) => about[0])).toEqual(
      alternatives.filter(({ breaks }) => breaks.length > 0).map(({ id }) => id),
    );
    expect(out.find(({ about }) => about[0] === 'sagemaker-serverless')?.text).toContain(
      'a request or result has 4.8 MB, and the endpoint takes at most 4 MB',
    );
  });
});

describe('one function', () => {
  it('costs less and answers sooner than slices when warm, and later when it must load 1.3 GB', () => {
    const { of } = compare(BERT, 8, 1769);

    expect(of('one-function').warm.dollars).toBeLessThan(of('slices').warm.dollars);
    expect(of('one-function').warm.latency.p50).toBeLessThan(of('slices').warm.latency.p50);
    expect(of('one-function').cold.latency.p50).toBeGreaterThan(3 * of('slices').cold.latency.p50);
  });

  it('gets more memory if only that meets the latency', () => {
    const lax = compare(BERT, 8, 1769).of('one-function');
    const strict = compare(BERT, 8, 1769, { targets: { maxLatencyMs: 400 } }).of('one-function');

    expect(lax.warm.latency.p95).toBeGreaterThan(400);
    expect(strict.breaks).toEqual([]);
    expect(strict.warm.dollars).toBeGreaterThan(lax.warm.dollars);
  });

  it('writes a result to S3 if it does not fit into the response, or if it must', () => {
    const dollars = (responseBytes: number, resultInS3: boolean) =>
      compare({ ...SMALL, responseBytes }, 2, 512, { resultInS3 }).of('one-function').warm.dollars;

    expect(dollars(100e3, true) - dollars(100e3, false)).toBeGreaterThan(5e-6);
    expect(dollars(6e6, false)).toBe(dollars(6e6, true));
  });

  it('with SnapStart starts sooner than without, and is charged for its cache', () => {
    const { of } = compare(BERT, 8, 1769);

    expect(of('snap-start').cold.latency.p50).toBeLessThan(of('one-function').cold.latency.p50);
    // 1,400 MB for a month, and an image of some 1.5 GB.
    expect(of('snap-start').dollarsPerMonth(0)).toBeCloseTo(
      (1400 / 1024) * 0.0000015046 * 730 * 3600 + 0.145,
      1,
    );
  });
});

describe('what is always on', () => {
  it('costs the same without requests as with few', () => {
    const { of } = compare(BERT, 8, 1769);

    expect(of('fargate').dollarsPerMonth(1)).toBe(of('fargate').dollarsPerMonth(0));
    // The smallest task with 2 GB, and a load balancer.
    expect(of('fargate').dollarsPerMonth(0)).toBeCloseTo(730 * (0.25 * 0.04048 + 2 * 0.004445 + 0.0225), 6);
    // Three instances of two vCPUs.
    expect(of('managed-instances').dollarsPerMonth(0)).toBeCloseTo(730 * 3 * 2 * 0.0504 * 1.15, 6);
  });

  it('needs more instances for more requests', () => {
    const { of } = compare(BERT, 8, 1769);

    for (const id of ['fargate', 'managed-instances', 'managed-instances-gpu'] as const) {
      expect(of(id).dollarsPerMonth(1e6)).toBeGreaterThan(2 * of(id).dollarsPerMonth(0));
    }
  });

  it('has no GPU on arm64', () => {
    const { of } = compare(BERT, 8, 1769, { architecture: 'arm64' });

    expect(of('managed-instances-gpu').breaks).toEqual(['GPU instances are x86_64 only']);
  });
});
