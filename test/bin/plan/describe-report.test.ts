import { describeReport } from '../../../bin/plan/describe-report';
import {
  CONSOLIDATED_REPORT,
  FORTY_SLICES_REPORT,
  HOSTILE_REPORT,
  TRANSFORMER_REPORT,
} from '../../support/sample-report';

describe('the report in a terminal', () => {
  it('says one sentence, then has the slices, price and time, the warnings, and what to do next', () => {
    const warnings = ['short', 'long '.repeat(40).trim()];
    const text = describeReport({ ...TRANSFORMER_REPORT, warnings });
    const blocks = text.trimEnd().split('\n\n');
    const [verdict, slices, figures, warned, next] = blocks.map((block) => block.split('\n'));
    expect(blocks).toHaveLength(5);
    expect(verdict.map((line) => line.trim()).join(' ')).toBe(TRANSFORMER_REPORT.verdict[0]);
    expect(slices).toHaveLength(TRANSFORMER_REPORT.slices.length + 1);
    expect(figures.map((line) => line.trim()).join(' ')).toBe(
      'price: $58.70 warm, $60.50 mixed, $149 cold a million runs; $0.93 a month ' +
        'time: 1.61 s warm, 1.64 s mixed, 2.41 s cold (p50); 2.1 s, 2.53 s, 3.02 s (p95)',
    );
    expect(warned.map((line) => line.trim()).join(' ')).toBe(`warning: short warning: ${warnings[1]}`);
    expect(next).toEqual([
      'next: plan again with --dimension name=size for the sizes of your requests',
      expect.stringMatching(/^next: .*`verify`.*`slice`$/),
      expect.stringMatching(/^more: --report/),
    ]);
  });

  it('has the prices and times of the pipeline with consolidation, and not those of its slices alone', () => {
    const text = describeReport(CONSOLIDATED_REPORT);
    expect(text).toContain('price: $12.00 warm, $60.50 mixed');
    expect(text).toContain('whole model: a function of 1,024 MB serves the runs that find it warm');
  });

  it('fits into 80 columns, and has no control characters of names', () => {
    for (const line of describeReport(FORTY_SLICES_REPORT).split('\n'))
      expect(line.length).toBeLessThanOrEqual(80);
    expect(describeReport(HOSTILE_REPORT)).not.toMatch(/[^\n\P{Cc}]|\p{Bidi_Control}|\p{Zl}/u);
  });
});
