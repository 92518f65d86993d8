import * as fs from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import { CALL_MESSAGES } from '../../../bin/logs/call-messages';
import { collectLogs } from '../../../bin/logs/collect';
import { parseLine } from '../../../bin/logs/parse-line';
import { ROOT } from '../../support/documents';

const CALL = {
  ...{ FunctionName: 'slice-0', level: 'INFO', message: 'slice ran', run: 'machine/run', slice: 0 },
  ...{ requestId: '9d0f', executionArn: 'arn:aws:states:us-east-1:111122223333:express:machine:run:1' },
  ...{ startedAt: Date.UTC(2026, 10, 25), cold: true, warmedUp: false, weightBytes: 1e6, loadMs: 300.5 },
  ...{ readMs: 2, runMs: 50, writeMs: 30, bytesRead: 12, bytesWritten: 40, peakMemoryBytes: 1e8 },
  ...{ s3Gets: 2, s3Puts: 1, expressGets: 0, expressPuts: 0 },
};
const WARM_UP = { message: 'slice is warm', requestId: 'a51c', run: 'machine/run', slice: 1, cold: false };
const REPORT =
  'REPORT RequestId: 9d0f\tDuration: 390.25 ms\tBilled Duration: 601 ms\tMemory Size: 512 MB\tMax Memory Used: 130 MB\tInit Duration: 210.50 ms\t';
const FIELDS = { billedMs: 601, memoryMb: 512, initMs: 210.5 };
const metrics = { durationMs: 390.25, billedDurationMs: 601, memorySizeMB: 512, initDurationMs: 210.5 };

const call = JSON.stringify(CALL);
const warmUp = JSON.stringify(WARM_UP);
const jsonReport = JSON.stringify({
  ...{ time: '2026-11-26T10:00:00Z', type: 'platform.report' },
  record: { requestId: '9d0f', status: 'success', metrics },
});

describe('calls and their reports', () => {
  it.each([
    ['lines of the local cloud', `slice-0: START\nslice-0: ${call}\nslice-0: ${REPORT}\n`],
    ['a report in JSON', `${call}\n${jsonReport}`],
    ['lines of `aws logs tail`', `2026-11-25T10:00:00 stream ${call}\n2026-11-25T10:00:01 stream ${REPORT}`],
    [
      '`aws logs filter-log-events`',
      JSON.stringify({ events: [call, REPORT].map((message) => ({ logStreamName: 'a', message })) }),
    ],
  ])('are read from %s', (_, content) => {
    const { run, executionArn, loadMs, s3Gets } = CALL;
    const logs = collectLogs([content]);
    const known = { kind: 'ran', run, executionArn, slice: 0, loadMs, s3Gets, report: FIELDS };
    expect(logs).toMatchObject({ calls: [known], refused: 0 });
  });

  it('are also those of the whole model', () => {
    const line = JSON.stringify({ ...CALL, slice: undefined, message: 'whole model is cold', whole: true });
    const logs = collectLogs([`${line}\n${REPORT}`]);
    expect(logs.calls).toMatchObject([{ kind: 'warm-up', slice: 'whole', report: FIELDS }]);
  });

  it('count once if several files have them', () => {
    const log = [call, REPORT, warmUp, REPORT.replace('9d0f', 'a51c')].join('\n');
    const filtered = JSON.stringify({ events: log.split('\n').map((message) => ({ message })) });
    expect(collectLogs([log, filtered, log])).toEqual(collectLogs([log]));
  });

  it('that failed have a price', () => {
    const failed = JSON.stringify({ run: 'run/1', requestId: 'f', slice: 1, message: 'slice failed' });
    const killed = `${REPORT.replace('9d0f', 'k')}Status: error\tError Type: Runtime.OutOfMemory`;
    const logs = collectLogs([`${failed}\n${killed}\nhello\n{"message":"other"}\n{"x`]);
    expect(logs).toMatchObject({ calls: [{ kind: 'failed', slice: 1 }], skipped: 3 });
    expect(logs.others).toEqual([FIELDS]);
  });

  it.each<[field: string, value: unknown]>([
    ['runMs', -1],
    ['slice', 1.5],
    ['slice', 1e9],
    ['startedAt', 0],
    ['warmedUp', 'yes'],
    ['run', 'x'.repeat(2000)],
  ])('are refused if their %s is %p', (field, value) => {
    const { calls, refused, reason } = collectLogs([JSON.stringify({ ...CALL, [field]: value })]);
    expect([calls, refused]).toEqual([[], 1]);
    expect(reason).toContain(field);
  });

  it('are collected from any text without an exception', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.json(),
      fc.constantFrom(call, REPORT),
      fc.record({ events: fc.jsonValue() }).map((value) => JSON.stringify(value)),
      fc.jsonValue().map((value) => JSON.stringify({ ...CALL, slice: value })),
      fc.string().map((text) => `${REPORT}${text}`),
    );
    fc.assert(
      fc.property(fc.array(texts), (contents) => {
        for (const { runMs } of collectLogs(contents).calls) expect(runMs).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

test.each([
  ...Object.keys(CALL_MESSAGES).map((message) => JSON.stringify({ message, slice: 0 })),
  REPORT,
  jsonReport,
])('the pattern of the guide finds %s', (message) => {
  expect(['call', 'report']).toContain(parseLine(message).kind);
  const guide = fs.readFileSync(path.join(ROOT, 'docs/costs.md'), 'utf8');
  const [, pattern = ''] = /--filter-pattern '((?:\?"[^"]+" ?)+)'/.exec(guide) ?? [];
  const texts = [...pattern.matchAll(/"([^"]+)"/g)].map(([, text]) => text);
  expect(texts.some((text) => message.includes(text))).toBe(true);
});
