/** A short run under faults, at rates at which most executions meet several. `npm run faults` is the long one. */
import { spawnSync } from 'node:child_process';
import { InferenceError } from '../../client';
import { builtFile } from '../../lib/host/packages';
import { FAULT_KINDS, type FaultKind, type InjectedFault } from '../../local';
import { judgeFailure, judgeResult } from './judge';
import { Report } from './report';

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

it('an unknown kind of faults is bad usage', () => {
  const { stderr, status } = faults('--faults', 'rest:0.1');
  expect(stderr).toMatch(/^error: .* the kind of a fault, got 'rest': the kinds are all, s3-503, /);
  expect(status).toBe(2);
});

const fault = (kind: FaultKind): InjectedFault => ({ kind, time: 0, run: 'execution-1/x', place: 'GET b/k' });
const failure = (error: string, cause: string) => new InferenceError(error, 'it failed', { cause });
const timeout = failure('Sandbox.Timedout', 'Task timed out after 61.00 seconds');

it.each<[string, string, Error, FaultKind[]]>([
  [
    'failed',
    'by a fault that its cause names',
    failure('StorageUnavailable', 'SlowDown'),
    ['s3-503', 'reset'],
  ],
  ['failed', 'by three silences', timeout, Array<FaultKind>(3).fill('stalled-body')],
  ['unexplained', 'by two silences', timeout, Array<FaultKind>(2).fill('stalled-body')],
  ['unexplained', 'without a fault', failure('StorageUnavailable', 'SlowDown'), []],
  ['unexplained', 'with another error', failure('SliceFailed', 'SlowDown'), ['s3-503']],
  ['unexplained', 'with another cause', failure('StorageUnavailable', 'InternalError'), ['s3-503']],
  ['unexplained', 'by a harmless fault', failure('StorageUnavailable', ''), ['duplicate-delivery']],
  ['unexplained', 'with an error that is not of the client', new TypeError('it failed'), ['s3-503']],
])('a failed execution is %s %s', (outcome, _, error, kinds) => {
  expect(judgeFailure(error, kinds.map(fault))).toMatchObject({ outcome });
});

it.each([
  ['identical', 'a'],
  ['mixed', 'b'],
  ['wrong', 'c'],
])('a result is %s if its print is %s', (outcome, print) => {
  expect(judgeResult('in S3', print, ['a', 'b'], 0)).toMatchObject({ outcome });
});

it('a report is a failure for a violation and for what belongs to no execution', () => {
  const played = { execution: 7, verdict: { outcome: 'identical' }, faults: [fault('reset')] } as const;
  const wrong = { outcome: 'wrong', what: 'the result has other bits' } as const;
  const reported = (round: Partial<Parameters<Report['add']>[0]>) => {
    const report = new Report('--seed 1');
    return [report.failed, report.add({ played: [played], stray: [], objects: 1, ...round }), report.failed];
  };
  expect(reported({})).toEqual([false, '', false]);
  const [, text, failed] = reported({ played: [{ ...played, verdict: wrong }] });
  expect([text, failed]).toEqual([
    expect.stringMatching(/^execution 7 wrong: .*\n.* reset at GET b\/k\n/),
    true,
  ]);
  expect(reported({ stray: ['left: process node'] })[2]).toBe(true);
});
