import { SIMULATIONS, simulationOf } from '../../../local/simulation/presets';

const MIB = 2 ** 20;

test("lambda is Lambda's bucket: 300 MiB at 1.2 GiB/s, then 75 MiB/s, of which a half refills", () => {
  expect(SIMULATIONS.lambda).toEqual({
    network: {
      connectionBytesPerSecond: 87e6,
      functionBytesPerSecond: 75 * MIB,
      burst: { bytes: 300 * MIB, bytesPerSecond: 1228.8 * MIB, refillShare: 0.5 },
    },
  });
});

test('aws has all parts, and aws-vpc differs in the network alone', () => {
  const { network, ...others } = SIMULATIONS.aws;
  const { network: inVpc, ...same } = SIMULATIONS['aws-vpc'];
  expect(others).toEqual({
    coldStartMs: 200,
    storage: { ...SIMULATIONS['s3-standard'].storage, ...SIMULATIONS['s3-express'].storage },
    transitions: {
      ...SIMULATIONS['standard-transitions'].transitions,
      ...SIMULATIONS['express-transitions'].transitions,
    },
  });
  expect(others.storage).toMatchObject({ standard: { openForGetMs: 68 - 27, openForPutMs: 85 - 40 } });
  expect(Object.keys(SIMULATIONS['s3-standard'].storage ?? {})).toEqual(['standard']);
  expect(Object.keys(SIMULATIONS['s3-express'].storage ?? {})).toEqual(['express']);
  expect(same).toEqual(others);
  expect([network, inVpc]).toEqual([SIMULATIONS.lambda.network, SIMULATIONS['lambda-vpc'].network]);
});

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
