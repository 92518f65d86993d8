import { Duration, Lazy, Size } from 'aws-cdk-lib';
import { durationCall, sizeCall } from '../../../../lib/pipeline/checks/amounts';

describe('sizeCall', () => {
  test.each([
    [64, 'mebibytes(64)'],
    [64n, 'mebibytes(64)'],
    ['64', 'mebibytes(64)'],
    ['64MB', 'mebibytes(64)'],
    [' 64 MiB ', 'mebibytes(64)'],
    ['512k', 'kibibytes(512)'],
    ['512 KB', 'kibibytes(512)'],
    ['1.5GB', 'gibibytes(1.5)'],
    ['1Gi', 'gibibytes(1)'],
    ['2 TiB', 'tebibytes(2)'],
    ['4096 bytes', 'bytes(4096)'],
  ])('reads %p', (value, call) => {
    expect(sizeCall(value)).toBe(call);
  });

  test.each([
    0,
    -1,
    NaN,
    Infinity,
    '',
    'MB',
    '64 apples',
    '1e3MB',
    '6 4MB',
    '-1GB',
    true,
    null,
    undefined,
    {},
    [64],
  ])('finds no size in %p', (value) => {
    expect(sizeCall(value)).toBeUndefined();
  });

  test('finds no size in a token', () => {
    expect(sizeCall(Lazy.number({ produce: () => 1 }))).toBeUndefined();
  });

  test('calls factories that CDK has', () => {
    for (const unit of ['B', 'KB', 'MB', 'GB', 'TB']) {
      expect(Size).toHaveProperty(sizeCall(`1${unit}`)?.split('(')[0] ?? 'none');
    }
  });
});

describe('durationCall', () => {
  test.each([
    [30, 'minutes(30)'],
    ['30', 'minutes(30)'],
    ['500ms', 'millis(500)'],
    ['30s', 'seconds(30)'],
    ['5 min', 'minutes(5)'],
    ['1 hour', 'hours(1)'],
    ['7 Days', 'days(7)'],
  ])('reads %p', (value, call) => {
    expect(durationCall(value, 'minutes')).toBe(call);
    expect(Duration).toHaveProperty(call.split('(')[0]);
  });

  test.each(['soon', 'PT5M', '5 moons', -1])('finds no duration in %p', (value) => {
    expect(durationCall(value, 'seconds')).toBeUndefined();
  });
});
