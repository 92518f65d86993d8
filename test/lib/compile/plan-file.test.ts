import * as fs from 'node:fs';
import * as path from 'node:path';
import { readPlan } from '../../../lib/compile/plan-file';
import { temporaryFolder } from '../../support/model-builder';

describe('readPlan', () => {
  test.each([
    '',
    '{}',
    '[]',
    'null',
    '{"version":1}',
    '{"version":1,"model":{"graphDigest":"x"},"slices":[{"nodes":[[5,1]]}]}',
  ])('refuses a file with the text %j', (text) => {
    const file = path.join(temporaryFolder(), 'plan.json');
    fs.writeFileSync(file, text);
    expect(() => readPlan(file)).toThrow('must be a plan.json of version 1, got other content');
  });

  test('refuses a missing plan', () => {
    expect(() => readPlan('nowhere.json')).toThrow(
      "plan 'nowhere.json' must be a readable file, got no such file or folder: check the path",
    );
  });
});
