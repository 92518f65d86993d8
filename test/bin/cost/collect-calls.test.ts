import fc from 'fast-check';
import { collectCalls } from '../../../bin/cost/collect-calls';

const ARN = 'arn:aws:states:us-east-1:111122223333:express:machine:run:1';
const LINE = {
  ...{ FunctionName: 'slice-0', executionArn: ARN, run: 'run/1', requestId: '9d0f', level: 'INFO' },
  ...{ message: 'slice ran', slice: 0, startedAt: Date.UTC(2026, 10, 25), cold: true, warmedUp: false },
  ...{ weightBytes: 1e6, loadMs: 300.5, readMs: 2, runMs: 50, writeMs: 30, bytesRead: 12, bytesWritten: 40 },
  ...{ s3Gets: 2, s3Puts: 1, expressGets: 0, expressPuts: 0 },
};
const REPORT =
  'REPORT RequestId: 9d0f\tDuration: 390.25 ms\tBilled Duration: 601 ms\tMemory Size: 512 MB\tMax Memory Used: 130 MB\tInit Duration: 210.50 ms\t';
const FIELDS = { billedMs: 601, memoryMb: 512, initMs: 210.5 };
const line = JSON.stringify(LINE);

describe('calls of logs', () => {
  it.each([
    ['whole model ran', 'ran'],
    ['whole model is cold', 'warm-up'],
    ['whole model is loaded', 'warm-up'],
    ['another sandbox loads the whole model', 'warm-up'],
    ['whole model failed', 'failed'],
  ])('are those of the whole model with the message %s', (message, kind) => {
    const content = `${JSON.stringify({ ...LINE, slice: undefined, message, whole: true })}\n${REPORT}`;
    expect(collectCalls([content]).calls).toMatchObject([{ kind, slice: 'whole', report: FIELDS }]);
  });

  it.each([
    ['whose report follows', `${line}\n${REPORT}`],
    ['whose report is before it', `${REPORT}\n${line}`],
    [
      'that other calls interrupt',
      `${line}\nREPORT RequestId: other\tBilled Duration: 1 ms\tMemory Size: 128 MB\n${REPORT}`,
    ],
    [
      'with a report in JSON',
      `${line}\n${JSON.stringify({
        type: 'platform.report',
        record: {
          requestId: '9d0f',
          status: 'success',
          metrics: { billedDurationMs: 601, memorySizeMB: 512, initDurationMs: 210.5 },
        },
      })}`,
    ],
  ])('have their report: a call %s', (_, content) => {
    expect(collectCalls([content]).calls).toMatchObject([
      { kind: 'ran', run: 'run/1', executionArn: ARN, slice: 0, loadMs: 300.5, s3Gets: 2, report: FIELDS },
    ]);
  });

  it('are counted once if two files have them', () => {
    expect(collectCalls([`${line}\n${REPORT}`, `${line}\n${REPORT}`]).calls).toHaveLength(1);
  });

  it('count a load at the warm-up that did it', () => {
    const warmedUp = JSON.stringify({ ...LINE, warmedUp: true });
    const warmUp = JSON.stringify({
      ...LINE,
      requestId: 'a',
      message: 'slice is warm',
      startedAt: undefined,
    });
    expect(collectCalls([`${warmUp}\n${warmedUp}`]).calls).toMatchObject([
      { kind: 'warm-up', loadMs: 300.5 },
      { kind: 'ran', loadMs: 0 },
    ]);
  });

  it('include failed calls, and reports of calls that Lambda ended', () => {
    const failed = JSON.stringify({ run: 'run/1', requestId: 'f', slice: 1, message: 'slice failed' });
    const killed = `${REPORT.replace('9d0f', 'k')}Status: error\tError Type: Runtime.OutOfMemory`;
    const { calls, others } = collectCalls([`${failed}\n${killed}`]);
    expect(calls).toMatchObject([{ kind: 'failed', slice: 1 }]);
    expect(others).toEqual([FIELDS]);
  });

  it.each([
    ['a negative number', { ...LINE, runMs: -1 }],
    ['a text for a number', { ...LINE, s3Gets: 'many' }],
    ['a slice that no pipeline has', { ...LINE, slice: 1e9 }],
    ['a run that is no text', { ...LINE, run: 5 }],
    ['a start in another century', { ...LINE, startedAt: 1 }],
    ['a report without metrics', { type: 'platform.report', record: { requestId: 'x' } }],
  ])('refuse a line with %s', (_, fields) => {
    const { calls, refused, reason } = collectCalls([JSON.stringify(fields)]);
    expect([calls.length, refused, typeof reason]).toEqual([0, 1, 'string']);
  });

  it('are read from any text without a crash', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.constant(line), fc.constant(REPORT), fc.json())),
        (lines) => {
          expect(collectCalls([lines.join('\n')]).calls.length).toBeLessThanOrEqual(lines.length);
        },
      ),
    );
  });
});
