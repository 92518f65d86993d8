import { describeDetails, describeReport } from '../../../bin/plan/describe-report';
import {
  CONSOLIDATED_REPORT,
  FORTY_SLICES_REPORT,
  HOSTILE_REPORT,
  TRANSFORMER_REPORT,
} from '../../support/sample-report';

describe('describeReport', () => {
  it('says one sentence, then has the slices, price and time, a line for each warning, and what to do next', () => {
    const warnings = ['short', `long ${'x'.repeat(200)}`];
    const text = describeReport({ ...TRANSFORMER_REPORT, warnings }, 80);
    const blocks = text.trimEnd().split('\n\n');
    const [verdict, slices, figures, warned, next] = blocks.map((block) => block.split('\n'));
    expect(blocks).toHaveLength(5);
    expect(verdict.map((line) => line.trim()).join(' ')).toBe(TRANSFORMER_REPORT.verdict[0]);
    expect(slices).toHaveLength(TRANSFORMER_REPORT.slices.length + 1);
    expect(figures).toEqual([
      'price: $58.70 warm, $60.50 mixed, $149 cold a million runs; $0.93 a month',
      'time: 1.61 s warm, 1.64 s mixed, 2.41 s cold (p50); 2.1 s, 2.53 s, 3.02 s (p95)',
    ]);
    expect(warned).toEqual(['warning: short', expect.stringMatching(/^warning: long x+…$/)]);
    expect(warned[1]).toHaveLength(80);
    expect(next).toEqual([
      'next: plan again with --dimension name=size for the sizes of your requests',
      expect.stringMatching(/^next: .*`verify`.*`slice`$/),
      expect.stringMatching(/^more: --details .*--report/),
    ]);
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
    // Without a terminal, warnings are whole.
    expect(describeReport({ ...TRANSFORMER_REPORT, warnings })).toContain(`warning: ${warnings[1]}\n`);
  });

  it('says what slices of a fixed number cost because they are even', () => {
    const even = { largestShare: 0.34, movedBytes: 2, dollarsPerMillion: 61.2 };
    const evenness = { ...even, cheapest: { movedBytes: 1, dollarsPerMillion: 39.1 } };
    expect(describeReport({ ...TRANSFORMER_REPORT, evenness }, 120)).toContain(
      'even: the largest slice does 34 % of the work; without that goal, 8 slices would cost $39.10 instead of $61.20\n',
    );
  });

  it('has the prices and times of the pipeline with consolidation, and not those of its slices alone', () => {
    const text = describeReport(CONSOLIDATED_REPORT);
    expect(text).toContain('price: $12.00 warm, $60.50 mixed');
    expect(text).toContain('whole model: a function of 1,024 MB serves the runs that find it warm');
  });

  it('says nothing of sizes and of a price a month that it does not know', () => {
    const model = { ...TRANSFORMER_REPORT.model, dimensions: [] };
    const text = describeReport({ ...TRANSFORMER_REPORT, model, alternatives: [], warnings: [] });
    expect(text).toMatch(/cold a million runs\n/);
    expect(text).not.toContain('--dimension');
  });
});

describe('describeDetails', () => {
  const lines = describeDetails(TRANSFORMER_REPORT, 120).split('\n');

  it('says the verdict first, then the warnings and the sizes that the user named', () => {
    const { verdict, warnings } = TRANSFORMER_REPORT;
    const start = [...verdict, '', `warning: ${warnings[0]}`, 'planned for sequence=128'];
    expect(lines.slice(0, start.length)).toEqual(start);
  });

  it('has a line for each slice, for each temperature and for each service', () => {
    const words = lines.map((line) => line.trim().split(/ {2,}/));
    expect(words.filter(([first]) => /^\d$/.test(first)).map(([first]) => first)).toEqual(
      TRANSFORMER_REPORT.slices.map(({ slice }) => String(slice)),
    );
    expect(words).toContainEqual(['warm', '$58.70', '1.61 s', '2.1 s']);
    expect(words).toContainEqual(['cold', '$149', '2.41 s', '3.02 s']);
    expect(words).toContainEqual(['Fargate', '$43.20', '–', '1.61 s', '1.61 s']);
    expect(lines).toContain(
      'SageMaker Serverless is out: A request may have at most 4 MB. A run may take at most 60 s.',
    );
  });

  it.each([
    ['eight slices', TRANSFORMER_REPORT],
    ['forty slices', FORTY_SLICES_REPORT],
  ])('fits into 80 columns, with lines that break between words: %s', (_, report) => {
    const narrow = describeDetails(report).split('\n');
    expect(narrow.filter((line) => line.length > 80)).toEqual([]);
    const said = narrow.join(' ').replaceAll(/ +/g, ' ');
    for (const sentence of report.verdict) expect(said).toContain(sentence);
  });
});

test.each([describeReport, describeDetails])('%p prints no control characters of names', (describeIt) => {
  expect(describeIt(HOSTILE_REPORT)).not.toMatch(/[^\n\P{Cc}]|\p{Bidi_Control}|\p{Zl}/u);
});
