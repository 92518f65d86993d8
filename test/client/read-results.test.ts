import { checkOutput, processorsOf, requireRun } from '../../client/read-results';

const TIMING = {
  ...{
    slice: 0,
    startedAt: 1,
    cold: true,
    warmedUp: false,
    weightBytes: 1,
    loadMs: 0.5,
    readMs: 0,
    runMs: 1,
  },
  ...{ writeMs: 1, bytesRead: 1, bytesWritten: 1, peakMemoryBytes: 1, memoryMb: 128 },
};
const OUTPUT = {
  version: 1,
  deploymentDigest: 'd',
  run: 'name/uuid',
  outputs: { s3: { bucket: 'mine', key: 'outputs/name/uuid.safetensors' } },
  timings: [TIMING],
};

describe("an execution's output", () => {
  it('may have fields of a newer pipeline', () => {
    const outputs = { s3: { ...OUTPUT.outputs.s3, later: 1 }, later: 1 };
    const newer = { ...OUTPUT, outputs, timings: [{ ...TIMING, later: 1 }], later: 1 };
    expect(checkOutput(JSON.stringify(newer))).toMatchObject({
      run: OUTPUT.run,
      results: { object: OUTPUT.outputs.s3 },
      timings: [TIMING],
    });
  });

  const stored = (s3: unknown, rest: object = {}) => ({ ...OUTPUT, outputs: { s3, ...rest } });
  it.each([
    ['x', 'a JSON object, got something else'],
    [JSON.stringify({ ...OUTPUT, run: 'x'.repeat(6 * 2 ** 20) }), 'a JSON object, got something else'],
    [{ ...OUTPUT, version: 2 }, 'version 1, got 2'],
    [{ ...OUTPUT, deploymentDigest: null }, 'deploymentDigest, got null'],
    [{ ...OUTPUT, run: 1 }, 'a run, got a number'],
    [{ ...OUTPUT, outputs: [] }, 'a JSON object as outputs, got a list of length 0'],
    [stored({ key: 'outputs/a' }), 'results in a bucket, got nothing'],
    [stored({ bucket: 'mine', key: 'inputs/a' }), "a key below 'outputs/', got 'inputs/a'"],
    [stored({ bucket: 'mine', key: 'outputs/../a' }), "a key below 'outputs/', got 'outputs/../a'"],
    [stored({ bucket: 'mine', key: 7 }), "a key below 'outputs/', got a number"],
    [{ ...OUTPUT, outputs: {} }, 'a JSON object as outputs.s3, got nothing'],
    [stored(null, { tensors: {} }), 'a JSON object as outputs.s3, got null'],
    [stored(OUTPUT.outputs.s3, { tensors: [] }), 'named tensors, got a list of length 0'],
    [{ ...OUTPUT, servedBy: 'both' }, "servedBy of 'whole' or 'slices', got \"both\""],
    [{ ...OUTPUT, timings: [{ ...TIMING, slice: null }] }, 'timings whose slice is a number, got null'],
    [{ ...OUTPUT, timings: {} }, 'a list of timings, got an object'],
    [{ ...OUTPUT, timings: [{ ...TIMING, cold: 1 }] }, 'timings whose cold is a boolean, got a number'],
    [
      { ...OUTPUT, timings: [{ ...TIMING, processor: 1 }] },
      'timings whose processor is a string, got a number',
    ],
  ])('is refused with one clear message: %#', (output, message) => {
    const text = typeof output === 'string' ? output : JSON.stringify(output);
    expect(() => checkOutput(text)).toThrow(
      `the output of the execution must have ${message}: use a version of the package that fits the pipeline`,
    );
  });
});

it.each([
  ['none of an earlier pipeline', [undefined, undefined], []],
  ['one', ['x86_64 AVX2', 'x86_64 AVX2'], ['x86_64 AVX2']],
  [
    'several, in the order of the slices',
    ['arm64 Neoverse-V2', 'arm64 Neoverse-N1', 'arm64 Neoverse-V2'],
    ['arm64 Neoverse-V2', 'arm64 Neoverse-N1'],
  ],
])('the processors of a run are %s', (_, found, expected) => {
  const timings = found.map((processor, slice) => ({ ...TIMING, slice, processor }));
  expect(processorsOf(checkOutput(JSON.stringify({ ...OUTPUT, timings })).timings)).toEqual(expected);
});

const arn = 'arn:aws:states:us-east-1:123456789012:';
const of = (run: string, key = `outputs/${run}.safetensors`) =>
  checkOutput(JSON.stringify({ ...OUTPUT, run, outputs: { s3: { bucket: 'mine', key } } }));

const name = "the run 'name/uuid' of its execution, got";

it.each([
  [of('name/other'), `${name} 'name/other'`],
  [of('other/name/uuid'), `${name} 'other/name/uuid'`],
  [of('name/uuid2'), `${name} 'name/uuid2'`],
  [of('name/uuid/x'), `${name} 'name/uuid/x'`],
  [of('name/uuid', 'outputs/a'), "results at 'outputs/name/uuid.safetensors', got 'outputs/a'"],
])('the run of the results is refused if it is another: %#', (output, message) => {
  expect(() => {
    requireRun(output, `${arn}express:M:name:uuid`);
  }).toThrow(`the output of the execution must have ${message}: use a version of the package`);
});
