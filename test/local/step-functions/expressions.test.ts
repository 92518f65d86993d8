/** JSONata in the fields of states: what it returns, how it fails, and which names it may use. */
import { pass, run } from '../../support/machine-fixture';

const evaluate = (source: string) => run(pass({ deep: [`{% ${source} %}`] }));

test.each([
  ['$parse("{\\"a\\": [1]}")', { a: [1] }],
  ['$range(0, 10, 5)', [0, 5, 10]],
  ['$partition([1, 2, 3, 4, 5], 2)', [[1, 2], [3, 4], [5]]],
  ['$length($uuid())', 36],
  ['$random() < 1', true],
  ['($x := 1; $x + 1)', 2],
  ['$map([1, 2], function($v, $i) { $v * $i })', [0, 2]],
  ['$map(["1"], $number)', 1],
  ['($x := {"of": [{"n": 1}, {"n": 2}]}; $x.of[$.n > 1].n)', 2],
  ['{"a": 1} ~> $keys', 'a'],
  ['$reduce([1, 2], function($sum, $n) { $sum + $n }, 0)', 3],
])('%s returns %j', async (source, expected) => {
  const result = await evaluate(source);
  expect(result.status === 'SUCCEEDED' && result.output).toEqual({ deep: [expected] });
});

test.each([
  ['$states.input.missing', /returned nothing \(undefined\)/],
  ['$error("no")', /no/],
  ['1 + "a"', /must evaluate to a number/],
  ['$uppercase', /returned nothing/],
  ['$nobody', /returned nothing/],
  ['$foo(1)', /non-function/],
  ['$eval("1")', /does not support \$eval/],
  ['function($x) { $x }', /returned nothing/],
  ['$parse("{")', /JSON/],
  ['$range(0, 1, 0)', /step other than 0/],
  ['$range(0, 9999, 1)', /at most 1000/],
  ['$partition(1, 2)', /expects an array/],
])('%s fails with States.QueryEvaluationError', async (source, cause) => {
  const result = await evaluate(source);
  expect(result).toMatchObject({ status: 'FAILED', error: 'States.QueryEvaluationError' });
  expect(result).toHaveProperty('cause', expect.stringMatching(cause));
});

// Step Functions has JSONata 2.0.6: https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
test('an expression that is not JSONata is refused before the run', async () => {
  await expect(evaluate('$states.input.a ?? 1')).rejects.toThrow('is not JSONata, got');
});
