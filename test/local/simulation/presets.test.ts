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

const NETWORK = { connectionBytesPerSecond: 1e6, functionBytesPerSecond: 2e6 };

test.each([
  [{ network: { ...NETWORK, functionBytesPerSecond: 0 } }, 'network.functionBytesPerSecond'],
  [{ network: { ...NETWORK, burst: { bytes: 1, bytesPerSecond: 0, refillShare: 1 } } }, 'network.burst'],
  [{ storage: { standard: { get: [[50, 1]] as const, put: [] } } }, 'storage.standard.put'],
  [{ transitions: { express: [{ bytes: 0, percentiles: [[101, 1]] as const }] } }, 'transitions.express'],
  [{ transitions: { express: [] } }, 'transitions.express'],
])('delays of your own are refused if they are impossible: %j', (own, message) => {
  expect(() => simulationOf(own)).toThrow(message);
});
