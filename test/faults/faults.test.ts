/** A short run under faults, at rates at which most executions meet several. `npm run faults` is the long one. */
import { spawnSync } from 'node:child_process';
import { builtFile } from '../../lib/host/package-files';
import { FAULT_KINDS } from '../../local';

/** Executions at the same time need functions of their own, and most of the work is to start these. */
const AT_A_TIME = '4';

function faults(...args: string[]) {
  return spawnSync(process.execPath, [builtFile('test/faults/main.js'), '--at-a-time', AT_A_TIME, ...args], {
    encoding: 'utf8',
  });
}

it('60 executions under every kind of fault return the results of undisturbed ones, or name the fault', () => {
  const rates = 'all:0.03,stalled-body:0.01,forgotten-connection:0.01,slow-response:0.02,slow-start:0.3';
  const { stdout, status } = faults(
    ...['--executions', '60', '--seed', '1', '--lasting', '0', '--faults', rates],
  );
  expect(stdout).toMatch(/, wrong 0, mixed 0, unexplained 0\n/);
  expect(stdout).toContain('damaged or unfinished 0\nprocesses, sockets and files left: 0\n');
  const unused = FAULT_KINDS.filter((kind) => !new RegExp(`^${kind} +[1-9]`, 'm').test(stdout));
  expect(unused).toEqual([]);
  expect(status).toBe(0);
});

it('flipped bits in requests without checksums make results wrong, which the test notices', () => {
  const { stdout, status } = faults(
    ...['--executions', '12', '--seed', '3', '--lasting', '0', '--faults', 'flipped-bit:0.5'],
    '--no-checksums',
  );
  // At this rate, sessions of S3 Express are damaged too, whose refusal names no fault.
  expect(stdout).toMatch(/, wrong [1-9]\d*, mixed 0, unexplained \d+\n/);
  expect(stdout).toMatch(/^ {2}npm run faults -- --seed 3 .* --no-checksums --only \d+$/m);
  expect(status).toBe(1);
});

it('an unknown fault is bad usage', () => {
  const { stderr, status } = faults('--faults', 'rest:0.1');
  expect(stderr).toBe(
    "error: the local cloud must know the kind of a fault, got 'rest': did you mean 'reset'?\n",
  );
  expect(status).toBe(2);
});
