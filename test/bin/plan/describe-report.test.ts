import { describeReport } from '../../../bin/plan/describe-report';
import {
  HOSTILE_REPORT,
  ONE_SLICE_REPORT,
  TRANSFORMER_REPORT,
  withoutCosts,
} from '../../support/sample-report';

describe('describeReport', () => {
  const lines = describeReport(TRANSFORMER_REPORT).split('\n');

  it('says the verdict first, then the warnings', () => {
    expect(lines.slice(0, 4)).toEqual([
      ...TRANSFORMER_REPORT.verdict,
      `warning: ${TRANSFORMER_REPORT.warnings[0]}`,
    ]);
  });

  it('says which sizes are assumed', () => {
    expect(lines.slice(5, 7)).toEqual(['batch = 1 is assumed; --dimension sets it', 'sequence = 128']);
  });

  it('has a line for each slice, for each temperature and for each service', () => {
    const words = lines.map((line) => line.trim().split(/ {2,}/));
    expect(words.filter(([first]) => /^\d$/.test(first)).map(([first]) => first)).toEqual(
      TRANSFORMER_REPORT.slices.map(({ slice }) => String(slice)),
    );
    expect(words).toContainEqual(['warm', '$58.70', '1.61 s', '2.1 s']);
    expect(words).toContainEqual(['cold', '$149', '2.41 s', '3.02 s']);
    expect(words).toContainEqual(['Fargate, always on', '$0', '645 ms', '838 ms', '–', '–', '–']);
    expect(lines).toContain(
      'SageMaker Serverless cannot run it: A request may have at most 4 MB. A run may take at most 60 s.',
    );
    expect(lines).toContain('cheapest from 1,445 requests per hour on: Fargate, always on');
  });

  it('leaves out what the report does not know', () => {
    const text = describeReport(withoutCosts(ONE_SLICE_REPORT));
    const [head, row] = text.split('\n').filter((line) => /^slice|^ +0 /.test(line));
    expect(head.trim().split(/ +/)).toEqual([
      'slice',
      'nodes',
      'files',
      'function',
      'activations',
      'read',
      'written',
    ]);
    expect(row.trim().split(/ +/)).toEqual(['0', '78', '24MB', '512MB', '3.5MB', '4KB', '1MB']);
    expect(text).not.toMatch(/a million|cheapest/);
  });

  it('prints no control characters of names', () => {
    expect(describeReport(HOSTILE_REPORT)).not.toMatch(/[^\n\P{Cc}]|\p{Bidi_Control}|\p{Zl}/u);
  });
});
