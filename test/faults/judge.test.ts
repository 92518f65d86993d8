/** The program that tests under faults notices every kind of violation. */
import { InferenceError } from '../../client';
import { FAULT_KINDS, type FaultKind, type InjectedFault } from '../../local';
import { EXPLANATIONS } from './explanations';
import { judgeFailure, judgeResult } from './judge';
import { fingerprint } from './oracle';
import { Report } from './report';

const print = (name: string, shape: number[], first: number): string =>
  fingerprint([[name, 'float32', shape, Float32Array.of(first, 2)]]);

describe('a result', () => {
  it.each([
    ['identical', 'has the same bits', print('y', [1, 2], 1)],
    ['wrong', 'has another bit', print('y', [1, 2], 1 + 2 ** -23)],
    ['wrong', 'has another shape', print('y', [2, 1], 1)],
    ['wrong', 'has another name', print('z', [1, 2], 1)],
    ['mixed', 'is that of another request', print('y', [1, 2], 3)],
  ])('is %s if it %s', (outcome, _, got) => {
    const references = [print('y', [1, 2], 1), print('y', [1, 2], 3)];
    expect(judgeResult('in S3', got, references, 0)).toMatchObject({ outcome });
  });
});

const fault = (kind: FaultKind): InjectedFault => ({ kind, time: 0, run: 'execution-1/x', place: 'GET b/k' });

describe('a failed execution', () => {
  const failure = (error: string, cause: string) => new InferenceError(error, 'it failed', { cause });

  it('is explained by a fault that was injected and that its cause names', () => {
    const verdict = judgeFailure(failure('StorageUnavailable', 'S3 refused: SlowDown'), [fault('s3-503')]);
    expect(verdict).toEqual({ outcome: 'failed', error: 'StorageUnavailable', because: ['s3-503'] });
  });

  it('may be a timeout of a function after several silences', () => {
    const timeout = failure('Sandbox.Timedout', 'Task timed out after 61.00 seconds');
    const silences = (count: number) => Array.from({ length: count }, () => fault('forgotten-connection'));
    expect(judgeFailure(timeout, silences(3))).toMatchObject({ outcome: 'failed' });
    expect(judgeFailure(timeout, silences(2))).toMatchObject({ outcome: 'unexplained' });
  });

  it.each([
    ['without a fault', failure('StorageUnavailable', 'SlowDown'), []],
    ['with another error', failure('SliceFailed', 'SlowDown'), ['s3-503' as const]],
    ['with another cause', failure('StorageUnavailable', 'InternalError'), ['s3-503' as const]],
    ['because of a harmless fault', failure('StorageUnavailable', ''), ['duplicate-delivery' as const]],
    ['with an error that is not of the client', new TypeError('it failed'), ['s3-503' as const]],
  ])('is unexplained %s', (_, error, kinds) => {
    expect(judgeFailure(error, kinds.map(fault))).toMatchObject({ outcome: 'unexplained' });
  });

  it('may have errors for each kind that can fail an execution', () => {
    const harmless = FAULT_KINDS.filter((kind) => EXPLANATIONS[kind].errors.length === 0);
    expect(harmless).toEqual(['slow-response', 'duplicate-delivery', 'slow-start']);
  });
});

describe('a report', () => {
  const played = { execution: 7, verdict: { outcome: 'identical' }, faults: [fault('reset')] } as const;
  const wrong = { outcome: 'wrong', what: 'the result has other bits' } as const;

  it('is a success if all executions are identical and nothing is left', () => {
    const report = new Report('--seed 1');
    expect(report.add({ played: [played], stray: [], objects: 1 })).toBe('');
    expect(report.failed).toBe(false);
    expect(report.table()).toMatch(/^reset +1 +1 +1 +0 +none$/m);
    expect(report.summary()).toContain('identical 1, failed 0, wrong 0, mixed 0,');
  });

  it.each([
    ['a violation', { played: [{ ...played, verdict: wrong }], stray: [] }],
    ['a redrive without the result', { played: [{ ...played, redriven: wrong }], stray: [] }],
    ['what belongs to no execution', { played: [played], stray: ['left: process node'] }],
  ])('is a failure for %s', (_, round) => {
    const report = new Report('--seed 1');
    report.add({ ...round, objects: 1 });
    expect(report.failed).toBe(true);
  });

  it('lists the faults of a violation and the command that repeats it', () => {
    const round = { played: [{ ...played, verdict: wrong }], stray: [], objects: 1 };
    expect(new Report('--seed 1').add(round)).toBe(
      'execution 7 wrong: the result has other bits\n' +
        '  1970-01-01T00:00:00.000Z reset at GET b/k\n' +
        '  npm run faults -- --seed 1 --only 7\n',
    );
  });
});
