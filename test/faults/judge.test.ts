/** The test under faults notices every kind of violation. */
import { encodeInlineTensor, encodeTensors, type ExecutionOutput, type RawTensor } from '../../client';
import { FAULT_KINDS, type FaultKind, type InjectedFault } from '../../local';
import { float32 } from '../support/tensors';
import { EXPLANATIONS } from './explanations';
import { fingerprint, judgeFailure, judgeResults, results } from './judge';
import { Report } from './report';

const tensors = (first: number): ReadonlyMap<string, RawTensor> =>
  new Map([['y', float32([1, 2], [first, 2])]]);
const references = [tensors(1), tensors(3)].map(fingerprint);

function outputWith(inline: ReadonlyMap<string, RawTensor>): ExecutionOutput {
  const encoded = [...inline].map(([name, tensor]) => [name, encodeInlineTensor(tensor)] as const);
  return {
    outputs: { s3: { bucket: 'b', key: 'outputs/r' }, tensors: Object.fromEntries(encoded) },
  } as unknown as ExecutionOutput;
}

async function judged(stored: ReadonlyMap<string, RawTensor>, inline = stored) {
  const found = await results(outputWith(inline), () => Promise.resolve(encodeTensors(stored)));
  return judgeResults(found, { references, request: 0 });
}

function fault(kind: FaultKind): InjectedFault {
  return { kind, time: 0, run: 'execution-1/x', place: 'GET bucket/key' };
}

const failure = (error: string, cause: string) =>
  ({ status: 'FAILED', executionArn: 'arn', error, cause }) as const;

describe('a successful execution', () => {
  it('is identical if its results in S3 and inline are those without faults', async () => {
    expect(await judged(tensors(1))).toEqual({ outcome: 'identical' });
  });

  it('is wrong if one bit differs, in S3 or inline', async () => {
    const almost = new Map([['y', float32([1, 2], [1 + 2 ** -23, 2])]]);
    expect(await judged(almost)).toMatchObject({ outcome: 'wrong' });
    expect(await judged(tensors(1), almost)).toMatchObject({ outcome: 'wrong' });
  });

  it('is wrong if a shape or a name differs', async () => {
    expect(await judged(new Map([['y', float32([2, 1], [1, 2])]]))).toMatchObject({ outcome: 'wrong' });
    expect(await judged(new Map([['z', float32([1, 2], [1, 2])]]))).toMatchObject({ outcome: 'wrong' });
  });

  it('is mixed if its results are those of another request', async () => {
    expect(await judged(tensors(3))).toEqual({
      outcome: 'mixed',
      what: 'the result in S3 of request 0 is that of request 1',
    });
    expect(await judged(tensors(1), tensors(3))).toMatchObject({ outcome: 'mixed' });
  });
});

describe('a failed execution', () => {
  it('is explained by a fault that was injected and that its cause names', () => {
    expect(judgeFailure(failure('StorageUnavailable', 'S3 refused: SlowDown'), [fault('s3-503')])).toEqual({
      outcome: 'failed',
      error: 'StorageUnavailable',
      because: ['s3-503'],
    });
  });

  it.each([
    ['without a fault', failure('StorageUnavailable', 'SlowDown'), []],
    ['with another error', failure('SliceFailed', 'SlowDown'), [fault('s3-503')]],
    ['with another cause', failure('StorageUnavailable', 'InternalError'), [fault('s3-503')]],
    ['because of a harmless fault', failure('StorageUnavailable', ''), [fault('duplicate-delivery')]],
    [
      'by a timeout',
      { ...failure('Runtime.ExitError', 'signal: killed'), status: 'TIMED_OUT' as const },
      [fault('killed-before-write')],
    ],
  ])('is unexplained %s', (_, result, faults) => {
    expect(judgeFailure(result, faults)).toMatchObject({ outcome: 'unexplained' });
  });

  it('may have errors for each kind that can fail an execution', () => {
    const harmless = FAULT_KINDS.filter((kind) => EXPLANATIONS[kind].errors.length === 0);
    expect(harmless).toEqual(['slow-response', 'duplicate-delivery', 'slow-start']);
  });
});

describe('a report', () => {
  const played = { execution: 7, verdict: { outcome: 'identical' }, faults: [fault('reset')] } as const;

  it('is a success if all executions are identical and nothing is left', () => {
    const report = new Report('--seed 1');
    expect(report.add({ played: [played], damage: [], objects: 1 }) + report.addLeftovers([])).toBe('');
    expect(report.failed).toBe(false);
    expect(report.table()).toMatch(/^reset +1 +1 +1 +0$/m);
    expect(report.summary()).toContain('wrong 0, mixed 0, unexplained 0');
  });

  it('lists the faults of a violation and the command that repeats it', () => {
    const report = new Report('--seed 1');
    const text = report.add({
      played: [{ ...played, verdict: { outcome: 'wrong', what: 'the result has other bits' } }],
      damage: [],
      objects: 1,
    });
    expect(text).toBe(
      'execution 7 wrong: the result has other bits\n' +
        '  1970-01-01T00:00:00.000Z reset at GET bucket/key\n' +
        '  npm run faults -- --seed 1 --only 7\n',
    );
    expect(report.failed).toBe(true);
  });

  it('is a failure for a redrive without the result, for damage and for leftovers', () => {
    const failed = { outcome: 'failed', error: 'Runtime.ExitError', because: ['reset'] } as const;
    const [redriven, damaged, left] = [1, 2, 3].map(() => new Report('--seed 1'));
    redriven.add({ played: [{ ...played, verdict: failed, redriven: failed }], damage: [], objects: 1 });
    damaged.add({ played: [played], damage: ['runs/x: no checksum'], objects: 1 });
    left.addLeftovers(['process node']);
    expect([redriven, damaged, left].map((report) => report.failed)).toEqual([true, true, true]);
  });
});
