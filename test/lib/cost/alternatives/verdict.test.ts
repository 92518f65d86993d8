import type { Alternative, AlternativeId } from '../../../../lib/cost/alternatives/alternative';
import { compareAlternatives } from '../../../../lib/cost/alternatives/compare';
import { verdictOf } from '../../../../lib/cost/alternatives/verdict';
import type { Winner } from '../../../../lib/cost/alternatives/winners';

/** A model of 400 MB, which every service can run. */
const { alternatives } = compareAlternatives(
  { peakMemoryMb: 512, fileBytes: 4e8, coreSeconds: 0.1, requestBytes: 1_000, responseBytes: 1_000 },
  {
    slices: 4,
    memoryMb: 512,
    fileBytes: 4e8,
    warm: { dollars: 1e-5, latency: { p50: 900, p95: 1_000 } },
    cold: { dollars: 2e-5, latency: { p50: 1_900, p95: 2_000 } },
  },
);

/** The sentences about rates, when the cheapest ones change at 1, 2, 3 and so on requests an hour. */
function rates(...ids: AlternativeId[]): string[] {
  const winners = ids.map((id, index): Winner => ({ id, fromPerHour: index, toPerHour: index + 1 }));
  const { sentences } = verdictOf(alternatives, winners);
  return sentences.filter(({ kind }) => kind === 'rates').map(({ text }) => text);
}

const name = (id: AlternativeId): string =>
  alternatives.find((own: Alternative) => own.id === id)?.name ?? '';

describe('a verdict', () => {
  it('has one sentence for each range of rates', () => {
    expect(rates('slices', 'one-function', 'fargate')).toEqual([
      '4 slices are cheapest below 1.0 requests an hour',
      `${name('one-function')} is cheapest from 1.0 to 2.0 requests an hour`,
      `${name('fargate')} is cheapest from 2.0 requests an hour on`,
    ]);
  });

  it('says that one service is cheapest at every rate', () => {
    expect(rates('fargate')).toEqual([`${name('fargate')} is cheapest at every rate`]);
  });

  it('joins the ranges in which services take turns', () => {
    expect(
      rates('slices', 'one-function', 'fargate', 'one-function', 'fargate', 'managed-instances'),
    ).toEqual([
      '4 slices are cheapest below 1.0 requests an hour',
      `${name('one-function')} is cheapest from 1.0 to 2.0 requests an hour`,
      `${name('fargate')} and ${name('one-function')} take turns as the cheapest from 2.0 to 4.0 requests an hour, because instances come in whole numbers`,
      `${name('fargate')} is cheapest from 4.0 to 5.0 requests an hour`,
      `${name('managed-instances')} is cheapest from 5.0 requests an hour on`,
    ]);
  });

  it('names a service between two ranges of another', () => {
    expect(rates('fargate', 'slices', 'fargate')[1]).toBe(
      '4 slices are cheapest from 1.0 to 2.0 requests an hour',
    );
  });
});
