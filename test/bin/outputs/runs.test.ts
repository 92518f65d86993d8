import { Runs } from '../../../bin/outputs/runs';
import { float32 } from '../../support/tensors';

const run = { ms: 10, timings: [] };

/** What an end of repeated runs prints. */
function printed(end: () => void): { readonly stdout: string; readonly stderr: string } {
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    jest.spyOn(process[stream], 'write').mockReturnValue(true),
  );
  end();
  const [stdout, stderr] = spies.map((spy) => spy.mock.calls.map(([chunk]) => String(chunk)).join(''));
  for (const spy of spies) spy.mockRestore();
  return { stdout, stderr };
}

afterEach(() => {
  process.exitCode = undefined;
});

it('names other bits than those of the first run, and shows the figures of what ended', () => {
  const runs = new Runs({ repeat: 9 });
  for (const value of [0, 0, -0, NaN]) runs.add(run, new Map([['y', float32([1], [value])]]));
  expect(runs.place).toBe('run 5 of 9: ');
  const { stdout, stderr } = printed(() => {
    runs.showUnfinished();
  });
  expect(stdout).toMatch(/^after 4 of 9 runs:\ncold: none.*\nwarm: p50 10 ms.*\n$/);
  expect(stderr).toMatch(
    /^error: the outputs .* got others than in run 1 in 2 of 4 runs, first 'y' in run 3: check .*\n$/,
  );
  expect(process.exitCode).toBe(1);
});

it.each([{ repeat: 1 }, { repeat: 3, json: true }])(
  'shows no figures of unfinished runs with %j',
  (options) => {
    const runs = new Runs(options);
    for (let ended = 0; ended < options.repeat; ended++) runs.add(run, new Map());
    const show = (): void => {
      runs.showUnfinished();
    };
    expect(printed(show)).toEqual({ stdout: '', stderr: '' });
  },
);
