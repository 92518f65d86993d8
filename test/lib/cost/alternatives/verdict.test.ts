import type { Alternative, AlternativeId } from '../../../../lib/cost/alternatives/alternative';
import { compareAlternatives } from '../../../../lib/cost/alternatives/compare';
import { type Requests, verdictOf } from '../../../../lib/cost/alternatives/verdict';
import { type Winner, GREATEST_RATE, LEAST_RATE } from '../../../../lib/cost/alternatives/winners';
import { LatencyDistribution } from '../../../../lib/cost/latency/latency-distribution';

/** A model of 400 MB, which every service can run. */
const { alternatives } = compareAlternatives(
  { peakMemoryMb: 512, fileBytes: 4e8, coreSeconds: 0.1, requestBytes: 1_000, responseBytes: 1_000 },
  {
    slices: 4,
    memoryMb: 512,
    fileBytes: 4e8,
    warm: { dollars: 1e-5, machineDollars: 1e-6, time: LatencyDistribution.constant(900) },
    cold: { dollars: 2e-5, machineDollars: 2e-6, time: LatencyDistribution.constant(1_900) },
  },
  { requestsPerHour: 10 },
);

const REQUESTS: Requests = {
  requestsPerHour: 10,
  isRateAssumed: true,
  temperature: 'mixed',
  coldShare: Math.exp(-1),
};

/** The sentences about rates, when the cheapest ones change at 1, 2, 3 and so on requests an hour. */
function rates(...ids: AlternativeId[]): string[] {
  const winners = ids.map((id, index): Winner => ({
    id,
    fromPerHour: index === 0 ? LEAST_RATE : index,
    toPerHour: index === ids.length - 1 ? GREATEST_RATE : index + 1,
  }));
  const { sentences } = verdictOf(alternatives, winners, REQUESTS);
  return sentences.filter(({ kind }) => kind === 'rates').map(({ text }) => text);
}

const name = (id: AlternativeId): string =>
  alternatives.find((own: Alternative) => own.id === id)?.name ?? '';

describe('a verdict', () => {
  it('has one sentence for each range of rates', () => {
    expect(rates('slices', 'one-function', 'fargate')).toEqual([
      '4 slices are cheapest below 1 request an hour',
      `${name('one-function')} is cheapest from 1 to 2 requests an hour`,
      `${name('fargate')} is cheapest from 2 requests an hour on`,
    ]);
  });

  it('says that one service is cheapest at every rate', () => {
    expect(rates('fargate')).toEqual([`${name('fargate')} is cheapest at every rate`]);
  });

  it('joins the ranges in which services take turns', () => {
    expect(
      rates('slices', 'one-function', 'fargate', 'one-function', 'fargate', 'managed-instances'),
    ).toEqual([
      '4 slices are cheapest below 1 request an hour',
      `${name('one-function')} is cheapest from 1 to 2 requests an hour`,
      `${name('fargate')} and ${name('one-function')} take turns as the cheapest from 2 to 4 requests an hour, because instances come in whole numbers`,
      `${name('fargate')} is cheapest from 4 to 5 requests an hour`,
      `${name('managed-instances')} is cheapest from 5 requests an hour on`,
    ]);
  });

  it('names a service between two ranges of another', () => {
    expect(rates('fargate', 'slices', 'fargate')[1]).toBe(
      '4 slices are cheapest from 1 to 2 requests an hour',
    );
  });

  it('says that a recommended service rests on a guess', () => {
    expect(rates('sagemaker-serverless', 'one-function')[0]).toBe(
      'SageMaker Serverless Inference is cheapest below 1 request an hour; the time of its cold starts, and that they cost nothing, are guesses',
    );
  });

  it('says at which rate it holds, whether that was assumed, and how many runs are cold', () => {
    const textOf = (requests: Partial<Requests>): string =>
      verdictOf(alternatives, [], { ...REQUESTS, ...requests }).sentences[0].text;

    expect(textOf({})).toContain(' a month at 10 requests an hour (assumed; 37 % of the runs cold), ');
    expect(textOf({ isRateAssumed: false, requestsPerHour: 1, coldShare: 0.9 })).toContain(
      ' a month at 1 request an hour (90 % of the runs cold), ',
    );
    expect(textOf({ temperature: 'warm', coldShare: 0 })).toContain('(assumed; all runs warm)');
    expect(textOf({ temperature: 'cold', coldShare: 1 })).toContain('(assumed; all runs cold)');
  });

  it('leaves gaps where no service keeps the limits', () => {
    const { sentences } = verdictOf(
      alternatives,
      [{ id: 'fargate', fromPerHour: 20, toPerHour: GREATEST_RATE }],
      REQUESTS,
    );

    expect(sentences.filter(({ kind }) => kind === 'rates').map(({ text }) => text)).toEqual([
      'Fargate is cheapest from 20 requests an hour on',
    ]);
  });
});
