import { CALL_MESSAGES, FILTER_PATTERN } from '../../../bin/calibrate/message-kinds';
import { parseMessage } from '../../../bin/calibrate/parse-message';
import { parseLine } from '../../../bin/cost/parse-line';

const { finds } = jest.requireActual<{ finds: (pattern: string, message: string) => boolean }>(
  '../../support/aws-logs-cli.cjs',
);

const REPORT = 'REPORT RequestId: 9d0f\tDuration: 1.00 ms\tBilled Duration: 1 ms\tMemory Size: 512 MB\t';
const record = {
  requestId: '9d0f',
  status: 'success',
  metrics: { durationMs: 1, billedDurationMs: 1, memorySizeMB: 512 },
};

describe('the pattern of the commands that gather logs', () => {
  it.each([
    ...Object.keys(CALL_MESSAGES).map((message) => [
      `'${message}'`,
      JSON.stringify({ level: 'INFO', message, requestId: '9d0f', slice: 0 }),
    ]),
    ['a report as text', REPORT],
    ['a report as JSON', JSON.stringify({ time: '2026-11-26T10:00:00Z', type: 'platform.report', record })],
  ])('finds %s, which `cost` reads', (_, message) => {
    expect(['call', 'report']).toContain(parseLine(message).kind);
    expect(finds(FILTER_PATTERN, message)).toBe(true);
  });

  it.each([
    ['START RequestId: 9d0f Version: 1'],
    ['END RequestId: 9d0f'],
    [JSON.stringify({ message: 'the function of another program' })],
  ])('leaves out %s, which neither command reads', (message) => {
    expect([parseLine(message).kind, parseMessage(message).kind]).toEqual(['other', 'other']);
    expect(finds(FILTER_PATTERN, message)).toBe(false);
  });
});
