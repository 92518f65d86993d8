import { describeReport } from '../../../bin/plan/describe-report';
import { FORTY_SLICES_REPORT, HOSTILE_REPORT, TRANSFORMER_REPORT } from '../../support/sample-report';

describe('describeReport', () => {
  const lines = describeReport(TRANSFORMER_REPORT, 120).split('\n');

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
      const narrow = describeReport(report).split('\n');
      expect(narrow.filter((line) => line.length > 80)).toEqual([]);
      const said = narrow.join(' ').replaceAll(/ +/g, ' ');
      for (const sentence of report.verdict) expect(said).toContain(sentence);
    }
  });

  it('prints no control characters of names', () => {
    expect(describeReport(HOSTILE_REPORT)).not.toMatch(/[^\n\P{Cc}]|\p{Bidi_Control}|\p{Zl}/u);
  });
});
