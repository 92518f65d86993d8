import { processorLines } from '../../../bin/outputs/runs';
import type { CallTiming } from '../../../contract/execution';

const linesOf = (...processors: (string | undefined)[]) =>
  processorLines(processors.map((processor, slice) => ({ slice, processor }) as CallTiming));

it.each([
  ['nothing, if the pipeline does not say it', linesOf(undefined, undefined), []],
  ['one processor', linesOf('x86_64 AVX2', 'x86_64 AVX2'), ['processor: x86_64 AVX2']],
  ['no escape sequence', linesOf('\u001b[2J'), [String.raw`processor: \x1b[2J`]],
  [
    'which slices ran on which of several, and what this means',
    linesOf('arm64 Neoverse-V1', 'arm64 Neoverse-V2', 'arm64 Neoverse-V1'),
    [
      'slices ran on several processors: arm64 Neoverse-V1 (slices 0, 2), arm64 Neoverse-V2 (slice 1); the last bits may differ from those of the whole model on each of them',
    ],
  ],
])('the line about processors says %s', (_, lines, expected) => {
  expect(lines).toEqual(expected);
});
