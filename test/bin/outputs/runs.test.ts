import { Runs } from '../../../bin/outputs/runs';
import { float32 } from '../../support/tensors';

afterEach(() => {
  jest.restoreAllMocks();
  process.exitCode = undefined;
});

it.each([
  [{ repeat: 9 }, /^after 4 of 9 runs:\ncold: none.*\nwarm: p50 10 ms.*\n$/, 'in 2 of 4 runs, first', 1],
  [{ repeat: 9, json: true }, /^$/, '', undefined],
])(
  'unfinished runs with %j show their figures, and name other bits',
  (options, figures, others, exitCode) => {
    const runs = new Runs(options);
    for (const value of [0, 0, -0, NaN])
      runs.add({ ms: 10, timings: [] }, new Map([['y', float32([1], [value])]]));
    expect(runs.place).toBe('run 5 of 9: ');
    const written = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const)
      jest.spyOn(process[stream], 'write').mockImplementation((text) => {
        written[stream] += String(text);
        return true;
      });
    runs.showUnfinished();
    expect(written.stdout).toMatch(figures);
    expect(written.stderr).toContain(others);
    expect(process.exitCode).toBe(exitCode);
  },
);
