import { NamedFailure } from '../../../lambda/errors';
import { parseExecutionInput } from '../../../lambda/request/execution-input';

const tensors = { x: { dtype: 'float32', shape: [1], data: [1] } };

const belowInputs =
  "'inputs.s3' of the execution's input must be a key below 'inputs/' in the pipeline's bucket";
const noDots = "'inputs.s3' of the execution's input must not contain the segments . and ..";
const tooLong = `'inputs.s3' of the execution's input must have at most 1024 bytes, got 'inputs/`;

function withKey(s3: unknown) {
  return { version: 1, inputs: { s3 } };
}

describe('an execution input', () => {
  it('can name an object below inputs/', () => {
    expect(parseExecutionInput({ version: 1, inputs: { s3: 'inputs/a/b.safetensors' } })).toEqual({
      tensors: { kind: 'object', key: 'inputs/a/b.safetensors' },
      inline: 'auto',
    });
  });

  it('can contain tensors', () => {
    const parsed = parseExecutionInput({ version: 1, inputs: { tensors }, output: { inline: 'only' } });
    expect(parsed.inline).toBe('only');
    const bytes = new Uint8Array(Float32Array.of(1).buffer);
    expect(parsed.tensors).toEqual({
      kind: 'inline',
      tensors: new Map([['x', { dtype: 'float32', shape: [1], bytes }]]),
    });
  });

  it.each([[undefined], [{}], [{ inline: 'auto' }]])(
    'has the inline mode "auto" if its output is %j',
    (output) => {
      expect(parseExecutionInput({ version: 1, inputs: { tensors }, output }).inline).toBe('auto');
    },
  );

  it.each<[string, unknown, string]>([
    ['nothing', undefined, "the execution's input must be a JSON object, got nothing"],
    ['null', null, "the execution's input must be a JSON object, got null"],
    ['a list', [], "the execution's input must be a JSON object, got a list of length 0"],
    ['no version', { inputs: { tensors } }, "'version' of the execution's input must be 1, got nothing"],
    [
      'another version',
      { version: 2, inputs: { tensors } },
      "'version' of the execution's input must be 1, got 2",
    ],
    [
      'an unknown field',
      { version: 1, inputs: { tensors }, input: 1 },
      "the execution's input has the unknown field 'input': use only version, inputs, output",
    ],
    ['no inputs', { version: 1 }, "'inputs' of the execution's input must be a JSON object, got nothing"],
    [
      'an unknown field of inputs',
      { version: 1, inputs: { s3: 'inputs/x', bucket: 'b' } },
      "'inputs' of the execution's input has the unknown field 'bucket': use only s3, tensors",
    ],
    [
      'neither source',
      { version: 1, inputs: {} },
      "'inputs' of the execution's input must have exactly one of s3 and tensors, got neither",
    ],
    [
      'both sources',
      { version: 1, inputs: { s3: 'inputs/x', tensors } },
      "'inputs' of the execution's input must have exactly one of s3 and tensors, got both",
    ],
    ['a key outside inputs/', withKey('outputs/x'), `${belowInputs}, got 'outputs/x'`],
    ['the prefix alone', withKey('inputs/'), `${belowInputs}, got 'inputs/'`],
    ['a key that is a number', withKey(7), `${belowInputs}, got a number`],
    ['a key with the segment ..', withKey('inputs/../runs/x'), `${noDots}, got 'inputs/../runs/x'`],
    ['a key that ends with ..', withKey('inputs/..'), `${noDots}, got 'inputs/..'`],
    ['a key with the segment .', withKey('inputs/./x'), `${noDots}, got 'inputs/./x'`],
    ['a key of 1,025 bytes', withKey(`inputs/${'x'.repeat(1018)}`), `${tooLong}${'x'.repeat(52)}…'`],
    ['a key of 1,025 bytes in UTF-8', withKey(`inputs/${'ü'.repeat(509)}`), `${tooLong}${'ü'.repeat(52)}…'`],
    [
      'a key with a lone surrogate',
      withKey('inputs/\ud800'),
      "'inputs.s3' of the execution's input must be Unicode text, got a lone surrogate",
    ],
    [
      'tensors in a list',
      { version: 1, inputs: { tensors: [1] } },
      "'inputs.tensors' of the execution's input must be a JSON object, got a list of length 1",
    ],
    [
      'an unknown field of output',
      { version: 1, inputs: { tensors }, output: { s3: 1 } },
      "'output' of the execution's input has the unknown field 's3': use only inline",
    ],
    [
      'an unknown inline mode',
      { version: 1, inputs: { tensors }, output: { inline: true } },
      `'output.inline' of the execution's input must be "auto", "never" or "only", got true`,
    ],
  ])('is refused with %s', (_, input, message) => {
    expect(() => parseExecutionInput(input)).toThrow(NamedFailure);
    expect(() => parseExecutionInput(input)).toThrow(
      expect.objectContaining({ name: 'InvalidInput', message }) as Error,
    );
  });

  it.each([
    ['dots inside a segment', 'inputs/a..b/.c/d.'],
    ['1,024 bytes', `inputs/${'x'.repeat(1017)}`],
    ['1,024 bytes in UTF-8', `inputs/${'ü'.repeat(508)}x`],
  ])('may have a key with %s', (_, key) => {
    expect(parseExecutionInput(withKey(key)).tensors).toEqual({ kind: 'object', key });
  });
});
