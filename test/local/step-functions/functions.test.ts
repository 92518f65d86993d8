import { graph, PASS, run } from '../../support/machine-fixture';

async function evaluate(source: string) {
  const { result } = await run(graph('P', { ...PASS, Output: `{% ${source} %}` }));
  return result.status === 'SUCCEEDED' ? result.output : `${result.error}: ${result.cause}`;
}

test.each([
  ['$parse("{\\"a\\": [1]}")', { a: [1] }],
  ['$range(0, 10, 5)', [0, 5, 10]],
  ['$range(3, 1, -1)', [3, 2, 1]],
  ['$range(1, 0, 1)', []],
  ['$partition([1, 2, 3, 4, 5], 2)', [[1, 2], [3, 4], [5]]],
  ['$hash("abc", "SHA-256")', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ['$hash("abc", "MD5")', '900150983cd24fb0d6963f7d28e17f72'],
  ['$length($uuid())', 36],
  ['$random() < 1', true],
])('%s returns %j', async (source, expected) => {
  expect(await evaluate(source)).toEqual(expected);
});

test.each([
  '$random(1)',
  '$hash("a", "CRC")',
  '$range(0, 1, 0)',
  '$range(0, 9999, 1)',
  '$partition(1, 2)',
  '$parse(1)',
])('%s fails with States.QueryEvaluationError', async (source) => {
  expect(await evaluate(source)).toMatch(/^States\.QueryEvaluationError: /);
});
