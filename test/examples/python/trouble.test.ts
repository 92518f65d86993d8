/** The Python caller when AWS has trouble, against a server in Python that hangs, throttles and breaks connections. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ROOT } from '../../support/documents';
import { hasPackages } from '../../support/python';
import { casesOf, classesOf, EXAMPLE, resultsOf, type Results } from '../../support/python-cases';

const MODULE = 'trouble_cases';

const hasPython = hasPackages('boto3', 'numpy', 'safetensors');

describe.each(classesOf(MODULE))('the Python caller, %s', (name) => {
  let results: Results;
  if (hasPython) {
    beforeAll(async () => {
      results = await resultsOf(MODULE, name);
    });
  }

  (hasPython ? it : it.skip).each(casesOf(MODULE, name))('%s', (_, found) => {
    expect(results).toHaveProperty([found], null);
  });
});

test('the Python caller has the version and the licence of the package', () => {
  const source = fs.readFileSync(path.join(EXAMPLE, 'sliced_inference.py'), 'utf8');
  const { version, license } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as Record<
    string,
    string
  >;
  expect(/^__version__ = "(.*)"$/m.exec(source)?.[1]).toBe(version);
  expect(source.split('\n')[0]).toBe(`# SPDX-License-Identifier: ${license}`);
});
