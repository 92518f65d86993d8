/** A short run under faults, at rates at which most executions meet several. `npm run faults` is the long one. */
import { spawnSync } from 'node:child_process';
import { builtFile } from '../../lib/host/packages';
import { FAULT_KINDS } from '../../local';

// Executions at the same time need functions of their own, and most of the work is to start these.
it('40 executions under every kind of fault return what ONNX Runtime computes on the whole model, or name the fault', () => {
  const rates = 'all:0.04,stalled-body:0.015,forgotten-connection:0.01,slow-response:0.02,slow-start:0.3';
  const args = ['--executions', '40', '--at-a-time', '4', '--seed', '1', '--lasting', '0', '--faults', rates];
  const program = builtFile('test/faults/main.js');
  const { stdout, status } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
  expect(stdout).toMatch(/, wrong 0, mixed 0, overwritten 0, damaged 0, unexplained 0\n/);
  expect(stdout).toMatch(/\nfaults, objects, processes, sockets and files of no execution: 0\n$/);
  expect(stdout).toMatch(/^with consolidation: served by slices \d+, whole \d+$/m);
  expect(stdout.match(/ branches.*, \(\d \d \| \d \d\) 4, in/g)).toHaveLength(2);
  const unused = FAULT_KINDS.filter((kind) => !new RegExp(`^${kind} +[1-9]`, 'm').test(stdout));
  expect(unused).toEqual([]);
  expect(status).toBe(0);
});
