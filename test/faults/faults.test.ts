/** A short run under faults, at rates at which most executions meet several, and runs of wrong code. `npm run faults` is the long one. */
import { spawnSync } from 'node:child_process';
import { builtFile } from '../../lib/host/package-files';
import { FAULT_KINDS } from '../../local';
import type { MutationName } from './mutations';

function faults(...args: string[]) {
  return spawnSync(process.execPath, [builtFile('test/faults/main.js'), ...args], { encoding: 'utf8' });
}

// Executions at the same time need functions of their own, and most of the work is to start these.
it('40 executions under every kind of fault return what ONNX Runtime computes on the whole model, or name the fault', () => {
  const rates = 'all:0.04,stalled-body:0.015,forgotten-connection:0.01,slow-response:0.02,slow-start:0.3';
  const { stdout, status } = faults(
    ...['--executions', '40', '--at-a-time', '4', '--seed', '1', '--lasting', '0', '--faults', rates],
  );
  expect(stdout).toMatch(/, wrong 0, mixed 0, overwritten 0, damaged 0, unexplained 0\n/);
  expect(stdout).toMatch(/\nfaults, objects, processes, sockets and files of no execution: 0\n$/);
  expect(stdout).toMatch(/^with consolidation: served by slices \d+, whole \d+$/m);
  expect(stdout.match(/ branches.*, \(\d \d \| \d \d\) 4, in/g)).toHaveLength(2);
  const unused = FAULT_KINDS.filter((kind) => !new RegExp(`^${kind} +[1-9]`, 'm').test(stdout));
  expect(unused).toEqual([]);
  expect(status).toBe(0);
});

/** With which faults the program finds each mistake, and as what. */
const MISTAKES: Readonly<Record<MutationName, readonly [rates: string, outcome: string]>> = {
  'no-checksums': ['flipped-bit:0.2', 'wrong'],
  'constant-prefix': ['all:0', 'mixed'],
  'flipped-bit': ['all:0', 'wrong'],
  'no-precondition': ['duplicate-delivery:0.5', 'overwritten'],
};

it.each(Object.entries(MISTAKES))(
  'the mistake %s in the code of the functions is found',
  (mutation, [rates, outcome]) => {
    const few = ['--pipeline', 'Express chain', '--executions', '4', '--at-a-time', '1', '--seed', '3'];
    const { stdout, status } = faults(
      ...[...few, '--lasting', '0', '--faults', rates, '--mutation', mutation],
    );
    expect(stdout).toMatch(new RegExp(`^identical \\d.* ${outcome} [1-9]`, 'm'));
    expect(stdout).toMatch(new RegExp(`^ {2}npm run faults -- .*--mutation ${mutation} --only \\d+$`, 'm'));
    expect(status).toBe(1);
  },
);

it.each([
  [['--faults', 'rest:0.1'], /^error: .* the kind of a fault, got 'rest': the kinds are all, s3-503, /],
  [
    ['--pipeline', 'Batch'],
    /^error: .* argument 'Batch' is invalid. It must be a part of one of: an Express /,
  ],
  [['--mutation', 'none'], /^error: .* argument 'none' is invalid. Allowed choices are no-checksums, /],
])('%p is bad usage', (args, message) => {
  const { stderr, status } = faults(...args);
  expect(stderr).toMatch(message);
  expect(status).toBe(2);
});
