import { simulationOf } from '../../../local/simulation/presets';

test('in a VPC, only the network differs', () => {
  const { network, ...others } = simulationOf('aws');
  expect(simulationOf('aws-vpc')).toMatchObject(others);
  expect(simulationOf('aws-vpc').network).not.toEqual(network);
});

test('another name is refused with the list of names', () => {
  expect(() => simulationOf('s3')).toThrow(
    "a simulation must have one of these names: none, aws, aws-vpc; got 's3': choose one of them",
  );
});
