import { SIMULATIONS, simulationOf } from '../../../local/simulation/presets';

test('several names together have the parts of all, and of one kind the later one', () => {
  expect(simulationOf(['lambda', 's3-express', 's3-standard'])).toEqual({
    ...SIMULATIONS.lambda,
    storage: { ...SIMULATIONS['s3-express'].storage, ...SIMULATIONS['s3-standard'].storage },
  });
  expect(simulationOf(['aws', 'lambda-vpc'])).toEqual(SIMULATIONS['aws-vpc']);
});

test.each([['s3'], [['aws', 's3']]])('%j is refused with the list of names', (names) => {
  expect(() => simulationOf(names)).toThrow(
    /^a simulation must have one of these names: none, aws, .*; got 's3'/,
  );
});
