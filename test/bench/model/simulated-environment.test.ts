import { type FullSimulation, simulatedEnvironment } from '../../../bench/model/simulated-environment';
import { DEFAULT_ENVIRONMENT } from '../../../lib/cost/constants/defaults';
import { SIMULATIONS } from '../../../local/simulation/presets';

const MACHINE = { processors: 2, initMs: 100, loadMsPerMb: 8, slowdown: 1 };
const AWS = SIMULATIONS.aws as FullSimulation;

describe('the environment that describes a simulation', () => {
  it('has the constants of the model for what the simulation takes from them', () => {
    const { network, s3, stepFunctions, lambda } = simulatedEnvironment(
      AWS,
      { ...MACHINE, loadMsPerMb: 0.01 },
      1,
    );

    expect(network).toEqual({ ...DEFAULT_ENVIRONMENT.network, vpcRate: network.sustainedRate });
    expect(s3).toEqual(DEFAULT_ENVIRONMENT.s3);
    expect(stepFunctions).toEqual(DEFAULT_ENVIRONMENT.stepFunctions);
    expect(lambda.placementMs).toBe(DEFAULT_ENVIRONMENT.lambda.placementMs);
  });

  it('has no burst for a constant rate, and the rate of the processors if they are slower', () => {
    const constant = { connectionBytesPerSecond: 20e6, functionBytesPerSecond: 20e6 };
    const rate = (together: number): number => {
      const { network } = simulatedEnvironment({ ...AWS, network: constant }, MACHINE, together);
      expect(network).toMatchObject({ burst: 0, burstRate: network.sustainedRate });
      return network.sustainedRate * 2 ** 20;
    };

    expect(rate(1)).toBeCloseTo(20e6, 3);
    // Sixteen functions on two processors: each gets an eighth of 125 MB/s.
    expect(rate(16)).toBeCloseTo(125e6 / 8, 3);
  });
});
