import { describeDetails, describeReport } from '../../../bin/plan/describe-report';
import { FORTY_SLICES_REPORT, HOSTILE_REPORT, TRANSFORMER_REPORT } from '../../support/sample-report';

describe('describeReport', () => {
  it('says one sentence, then has the slices, price and time in two lines, a line for each warning, and what to do next', () => {
    const warnings = ['short', `long ${'x'.repeat(200)}`];
    const blocks = describeReport({ ...TRANSFORMER_REPORT, warnings }, 80)
      .trimEnd()
      .split('\n\n');
    const [verdict, slices, figures, warned, next] = blocks.map((block) => block.split('\n'));
    expect(blocks).toHaveLength(5);
    expect(verdict.map((line) => line.trim()).join(' ')).toBe(TRANSFORMER_REPORT.verdict[0]);
    expect(slices).toHaveLength(TRANSFORMER_REPORT.slices.length + 1);
    expect(figures).toEqual([
      expect.stringMatching(
        /^price: \$58\.70 warm, \$[\d.]+ mixed, \$149 cold a million runs; \$[\d.]+ a month$/,
      ),
      expect.stringMatching(
        /^time: 1\.61 s warm, [\d.]+ s mixed, 2\.41 s cold \(p50\); 2\.1 s, [\d.]+ s, 3\.02 s \(p95\)$/,
      ),
    ]);
    expect(warned[0]).toBe('warning: short');
    expect(warned[1]).toMatch(/^warning: long x+…$/);
    expect(warned[1]).toHaveLength(80);
    expect(next).toEqual([
      'next: plan again with --dimension name=size for the sizes of your requests',
      expect.stringMatching(/^next: .*`verify`.*`slice`$/),
      expect.stringMatching(/^more: --details .*--report/),
    ]);
    expect(
      blocks
        .join('\n')
        .split('\n')
        .filter((line) => line.length > 80),
    ).toEqual([]);
  });

  it('has whole warnings if standard output is no terminal', () => {
    const warning = `long ${'x'.repeat(200)}`;
    expect(describeReport({ ...TRANSFORMER_REPORT, warnings: [warning] })).toContain(`warning: ${warning}\n`);
  });

  it('says what slices of a fixed number cost because they are even', () => {
    const even = { largestShare: 0.34, movedBytes: 2, dollarsPerMillion: 61.2 };
    const evenness = { ...even, cheapest: { movedBytes: 1, dollarsPerMillion: 39.1 } };
    expect(describeReport({ ...TRANSFORMER_REPORT, evenness }, 120)).toMatch(
      /^even: the largest slice does 34(\.0)? % of the work; without that goal, \d slices would cost \$39\.10 instead of \$61\.20$/m,
    );
  });

  it('has the prices and times of the pipeline with consolidation, and not those of its slices alone', () => {
    const { warm } = TRANSFORMER_REPORT.run;
    const run = { warm: { ...warm, dollarsPerMillion: 12 }, mixed: warm, cold: warm };
    const consolidation = { memoryMb: 1, fileBytes: 1, run };
    const text = describeReport({ ...TRANSFORMER_REPORT, consolidation });
    expect(text).toContain('price: $12.00 warm, $58.70 mixed');
    expect(text).toContain('whole model: a function of 1 MB serves the runs that find it warm');
  });

  it('says nothing of sizes and of a price a month that it does not know', () => {
    const model = { ...TRANSFORMER_REPORT.model, dimensions: [] };
    const text = describeReport({ ...TRANSFORMER_REPORT, model, alternatives: [], warnings: [] });
    expect(text).toMatch(/cold a million runs\n/);
    expect(text).not.toContain('--dimension');
  });

  it('prints no control characters of names', () => {
    expect(describeReport(HOSTILE_REPORT)).not.toMatch(/[^\n\P{Cc}]|\p{Bidi_Control}|\p{Zl}/u);
  });
});

describe('describeDetails', () => {
  const lines = describeDetails(TRANSFORMER_REPORT, 120).split('\n');

  it('says the verdict first, then the warnings and the sizes that the user named', () => {
    const { verdict, warnings } = TRANSFORMER_REPORT;
    expect(lines.slice(0, verdict.length + 3)).toEqual([
      ...verdict,
      '',
      `warning: ${warnings[0]}`,
      'planned for sequence=128',
    ]);
  });

  it('has a line for each slice, for each temperature and for each service', () => {
    const words = lines.map((line) => line.trim().split(/ {2,}/));
    expect(words.filter(([first]) => /^\d$/.test(first)).map(([first]) => first)).toEqual(
      TRANSFORMER_REPORT.slices.map(({ slice }) => String(slice)),
    );
    expect(words).toContainEqual(['warm', '$58.70', '1.61 s', '2.1 s']);
    expect(words).toContainEqual(['cold', '$149', '2.41 s', '3.02 s']);
    expect(words).toContainEqual(['Fargate, always on', '$43.20', '–', '645 ms', '645 ms']);
    expect(lines).toContain(
      'SageMaker Serverless is out: A request may have at most 4 MB. A run may take at most 60 s.',
    );
  });

  it('fits into 80 columns, with lines that break between words', () => {
    for (const report of [TRANSFORMER_REPORT, FORTY_SLICES_REPORT]) {
      const narrow = describeDetails(report).split('\n');
      expect(narrow.filter((line) => line.length > 80)).toEqual([]);
      const said = narrow.join(' ').replaceAll(/ +/g, ' ');
      for (const sentence of report.verdict) expect(said).toContain(sentence);
    }
  });

  it('prints no control characters of names', () => {
    expect(describeDetails(HOSTILE_REPORT)).not.toMatch(/[^\n\P{Cc}]|\p{Bidi_Control}|\p{Zl}/u);
  });
});
