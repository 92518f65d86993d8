import * as fc from 'fast-check';
import { profileLines } from '../../../bin/terminal/profile-lines';
import type { ProfilePoint } from '../../../bin/plan/plan-report';
import { TRANSFORMER_REPORT } from '../../support/sample-report';

function points(weights: readonly number[]): ProfilePoint[] {
  return weights.map((weightBytes, position) => ({
    first: position,
    last: position,
    node: `node ${position}`,
    operator: 'Add',
    weightBytes,
    coreSeconds: 0.25,
    liveBytes: 1_024 * (position + 1),
    crossingBytes: null,
  }));
}

describe('profileLines', () => {
  it('draws weights, compute and live tensors with blocks of a sixteenth of the largest value', () => {
    expect(profileLines(points([0, 1, 512, 1_024, 2_048]), undefined)).toEqual([
      'profile     from the first node to the last, with the largest value of a column',
      '                █',
      '  weights    ▁▄██ 2KB',
      '            █████',
      '  compute   █████ 250 ms',
      '              ▂▅█',
      '  tensors   ▃▆███ 5KB',
    ]);
  });

  it('draws nothing for one node or in a terminal without room', () => {
    expect(profileLines([], 80)).toEqual([]);
    expect(profileLines(points([1]), 80)).toEqual([]);
    expect(profileLines(points([1, 2]), 30)).toEqual([]);
  });

  it('draws a graph without weights', () => {
    expect(profileLines(points([0, 0]), 80).slice(1, 3)).toEqual(['', '  weights      0B']);
  });

  it('fits the terminal and has no control characters', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), (columns) => {
        const lines = profileLines(TRANSFORMER_REPORT.profile, columns).slice(1);
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
        expect(lines.join('')).not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});
