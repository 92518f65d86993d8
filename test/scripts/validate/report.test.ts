/** What `npm run validate` prints. */
import type { Check } from '../../../scripts/validate/check';
import { runChecks } from '../../../scripts/validate/report';
import { STACKS } from '../../../scripts/validate/stacks';
import type { SynthesizedCase } from '../../../scripts/validate/synthesize';

const cases = ['one', 'two'].map((name) => ({ name }) as SynthesizedCase);

function check(name: string, ...outcome: Awaited<ReturnType<Check['run']>>[]): Check {
  return { name, run: () => Promise.resolve(outcome[0]) };
}

test('the report has a row for each stack, and a line for each finding and for each check that cannot run', async () => {
  const fault = { place: 'Stack/Role', message: 'too long' };
  const { text, findings } = await runChecks(cases, [
    check('limits', { findings: [[], [fault, fault]] }),
    check('cfn-lint', { skipped: 'not found' }),
  ]);
  expect(findings).toBe(2);
  const rows = text.split('\n').filter((line) => /\b(one|two)\b/.test(line));
  expect(rows[0]).toMatch(/one +│ ok +│ skipped/);
  expect(rows[1]).toMatch(/two +│ 2 findings +│ skipped/);
  expect(text).toContain('cfn-lint skipped: not found');
  expect(text.split('\n').filter((line) => line === 'two, limits: Stack/Role: too long')).toHaveLength(2);
});

test('the stacks have different names, and both sets of feature flags occur', () => {
  expect(new Set(STACKS.map(({ name }) => name)).size).toBe(STACKS.length);
  expect(new Set(STACKS.map(({ flags }) => flags))).toEqual(new Set(['recommended', 'none']));
});
