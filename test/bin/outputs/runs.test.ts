import { Runs, showAfterFailure } from '../../../bin/outputs/runs';
import { float32 } from '../../support/tensors';
import { temporaryFolder } from '../../support/temporary-folder';

afterEach(() => {
  jest.restoreAllMocks();
  process.exitCode = undefined;
});

it('runs with other bits than the first are an error, which is named after the output', async () => {
  const runs = new Runs({ repeat: 4, json: true });
  for (const value of [0, 0, -0, NaN])
    runs.add({ ms: 10, timings: [] }, new Map([['y', float32([1], [value])]]));
  expect(runs.next()).toBe(false);
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    jest.spyOn(process[name], 'write').mockReturnValue(true),
  );
  await runs.show({ json: () => ({ id: 7 }), about: [] });
  const [printed, error] = spies.map(({ mock }) => String(mock.calls[0][0]));
  expect(JSON.parse(printed)).toMatchObject({
    id: 7,
    repeat: { differing: 2, warm: { runs: 4, p95Ms: 10 } },
  });
  expect(error).toMatch(
    /^error: the outputs .* in 2 of 4 runs, first 'y' in run 3: check that all functions had the same processors, /,
  );
  expect(process.exitCode).toBe(1);
});

it('of a failed series are shown once, and a failure to write them does not hide the first one', async () => {
  const runs = new Runs({ repeat: 3, out: `${temporaryFolder()}/none/y.npz` });
  runs.add({ ms: 10, timings: [] }, new Map([['y', float32([1], [7])]]));
  const stderr = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  const show = () => runs.show({ json: () => ({}), about: [] });
  await showAfterFailure(show);
  await showAfterFailure(show);
  expect(stderr.mock.calls).toEqual([[expect.stringMatching(/^error: --out must /)]]);
});
