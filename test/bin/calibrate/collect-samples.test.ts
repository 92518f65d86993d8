import fc from 'fast-check';
import { collectSamples } from '../../../bin/calibrate/collect-samples';

const CALL = {
  ...{ FunctionName: 'slice-0', level: 'INFO', message: 'slice ran', run: 'machine/run', slice: 0 },
  requestId: '9d0f',
  ...{ startedAt: Date.UTC(2026, 10, 25), cold: true, warmedUp: false, weightBytes: 1e6, loadMs: 300.5 },
  ...{ readMs: 2, runMs: 50, writeMs: 30, bytesRead: 12, bytesWritten: 40, peakMemoryBytes: 1e8 },
};
const WARM_UP = {
  message: 'slice is warm',
  requestId: 'a51c',
  run: 'machine/run',
  slice: 1,
  cold: false,
  loadMs: 0,
};
const REPORT =
  'REPORT RequestId: 9d0f\tDuration: 390.25 ms\tBilled Duration: 391 ms\tMemory Size: 512 MB\tMax Memory Used: 130 MB\tInit Duration: 210.50 ms\t';
const FIELDS = { durationMs: 390.25, memoryMb: 512, initMs: 210.5 };

const call = JSON.stringify(CALL);

describe('samples of logs', () => {
  it.each([
    ['lines of the local cloud', `slice-0: START\nslice-0: ${call}\nslice-0: ${REPORT}\n`],
    ['lines without names', `${call}\n${REPORT}`],
    ['lines of `aws logs tail`', `2026-11-25T10:00:00 stream ${call}\n2026-11-25T10:00:01 stream ${REPORT}`],
    [
      '`aws logs filter-log-events`',
      JSON.stringify({ events: [call, REPORT].map((message) => ({ logStreamName: 'a', message })) }),
    ],
    [
      '`aws logs get-query-results`',
      JSON.stringify({ results: [call, REPORT].map((value) => [{ field: '@message', value }]) }),
    ],
    ['an export of Logs Insights', JSON.stringify([call, REPORT].map((text) => ({ '@message': text })))],
  ])('are read from %s', (_, content) => {
    const { samples, refused } = collectSamples([content]);

    expect(samples.calls).toMatchObject([{ slice: 0, loadMs: 300.5, report: FIELDS }]);
    expect(samples.reports).toEqual([FIELDS]);
    expect(refused).toBe(0);
  });

  it('read reports in the format JSON of Lambda', () => {
    const metrics = { durationMs: 390.25, memorySizeMB: 512, initDurationMs: 210.5 };
    const event = { type: 'platform.report', record: { requestId: '9d0f', status: 'success', metrics } };

    expect(collectSamples([JSON.stringify(event) + '\n' + call]).samples.reports).toEqual([FIELDS]);
  });

  it('pair reports with calls of the same request only', () => {
    const own = REPORT.replace('9d0f', 'a51c');
    const { samples } = collectSamples([`a: ${own}\na: ${call}\na: ${JSON.stringify(WARM_UP)}\n`]);

    expect(samples.calls[0].report).toBeUndefined();
    expect(samples.warmUps).toEqual([{ slice: 1, cold: false, report: FIELDS }]);
  });

  it('have each call, warm-up and report once if several files have them', () => {
    const log = [call, REPORT, JSON.stringify(WARM_UP), REPORT.replace('9d0f', 'a51c')].join('\n');
    const filtered = JSON.stringify({ events: log.split('\n').map((message) => ({ message })) });

    expect(collectSamples([log, filtered, log])).toEqual(collectSamples([log]));
  });

  it('count what belongs to other functions, and reports of failures', () => {
    const { samples, skipped } = collectSamples([
      `hello\n{"message":"other"}\n{"x\n${REPORT}Status: timeout\n`,
    ]);

    expect([samples.calls.length, samples.reports.length, skipped]).toEqual([0, 0, 4]);
  });

  it.each([
    ['runMs', -1],
    ['loadMs', 1e300],
    ['readMs', '5'],
    ['slice', 1.5],
    ['bytesRead', -4],
    ['weightBytes', 1e15],
    ['startedAt', 0],
    ['cold', 'yes'],
    ['run', 'x'.repeat(2000)],
  ])('refuse a call whose %s is %p', (name, value) => {
    const { samples, refused, reason } = collectSamples([JSON.stringify({ ...CALL, [name]: value })]);

    expect(samples.calls).toEqual([]);
    expect(refused).toBe(1);
    expect(reason).toContain(name);
  });

  it('are collected from any text without an exception', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.json(),
      fc.record({ events: fc.jsonValue() }).map((value) => JSON.stringify(value)),
      fc.record({ results: fc.jsonValue() }).map((value) => JSON.stringify(value)),
      fc.jsonValue().map((value) => JSON.stringify({ ...CALL, slice: value })),
      fc.string().map((text) => `${REPORT}${text}`),
    );
    fc.assert(
      fc.property(fc.array(texts), (contents) => {
        const { samples } = collectSamples(contents);

        for (const { runMs } of samples.calls) expect(runMs).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('have the transitions of a history', () => {
    const event = (id: number, type: string, timestamp: number | string) => ({
      ...{ id, type, timestamp, previousEventId: id - 1 },
    });
    const history = {
      events: [
        event(1, 'TaskStarted', 1_700_000_000),
        event(2, 'TaskSucceeded', 1_700_000_000.5),
        event(3, 'TaskStateExited', 1_700_000_000.51),
        event(4, 'TaskStateEntered', 1_700_000_000.52),
        event(5, 'TaskStarted', '2023-11-14T22:13:20.560Z'),
      ],
    };

    expect(collectSamples([JSON.stringify(history)]).samples.transitions).toEqual([60]);
  });

  it('are read from events of a log that has a field of a history', () => {
    const log = JSON.stringify({
      events: [call].map((message) => ({ message })),
      previousEventId: 1,
    });

    expect(collectSamples([log]).samples.calls).toHaveLength(1);
  });
});
