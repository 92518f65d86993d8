import { NamedFailure } from '../../../lambda/errors';
import { parseExecutionInput } from '../../../lambda/request/execution-input';

const tensors = { x: { dtype: 'float32', shape: [1], data: [1] } };

describe('an execution input', () => {
  it('can name an object below inputs/', () => {
    expect(parseExecutionInput({ version: 1, inputs: { s3: 'inputs/a/b.safetensors' } })).toEqual({
      tensors: { kind: 'object', key: 'inputs/a/b.safetensors' },
      inline: 'auto',
    });
  });

  it('can contain tensors', () => {
    const parsed = parseExecutionInput({ version: 1, inputs: { tensors }, output: { inline: 'never' } });
    expect(parsed.inline).toBe('never');
    expect(parsed.tensors).toMatchObject({ kind: 'inline' });
  });

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'must be a JSON object, got nothing'],
    ['a list', [], 'must be a JSON object, got []'],
    ['no version', { inputs: { tensors } }, "'version' of the execution's input must be 1, got nothing"],
    [
      'another version',
      { version: 2, inputs: { tensors } },
      "'version' of the execution's input must be 1, got 2",
    ],
    ['an unknown field', { version: 1, inputs: { tensors }, input: 1 }, "unknown field 'input'"],
    ['no inputs', { version: 1 }, 'must be a JSON object, got nothing'],
    [
      'an unknown field of inputs',
      { version: 1, inputs: { s3: 'inputs/x', bucket: 'b' } },
      "unknown field 'bucket'",
    ],
    ['neither source', { version: 1, inputs: {} }, 'exactly one of s3 and tensors, got neither'],
    ['both sources', { version: 1, inputs: { s3: 'inputs/x', tensors } }, 'got both'],
    ['a key outside inputs/', { version: 1, inputs: { s3: 'outputs/x' } }, "below 'inputs/'"],
    ['the prefix alone', { version: 1, inputs: { s3: 'inputs/' } }, "below 'inputs/'"],
    ['a key with ..', { version: 1, inputs: { s3: 'inputs/../runs/x' } }, 'segments . and ..'],
    [
      'a key that is too long',
      { version: 1, inputs: { s3: `inputs/${'x'.repeat(1024)}` } },
      'at most 1024 bytes',
    ],
    ['a key that is a number', { version: 1, inputs: { s3: 7 } }, 'got 7'],
    ['tensors in a list', { version: 1, inputs: { tensors: [1] } }, 'must be a JSON object, got [1]'],
    [
      'an unknown field of output',
      { version: 1, inputs: { tensors }, output: { s3: 1 } },
      "unknown field 's3'",
    ],
    ['an unknown inline mode', { version: 1, inputs: { tensors }, output: { inline: true } }, 'got true'],
  ])('is refused with %s', (_, input, message) => {
    expect(() => parseExecutionInput(input)).toThrow(NamedFailure);
    expect(() => parseExecutionInput(input)).toThrow(message);
    expect(() => parseExecutionInput(input)).toThrow(
      expect.objectContaining({ name: 'InvalidInput' }) as Error,
    );
  });

  it('may have a key with dots inside a segment', () => {
    expect(() => parseExecutionInput({ version: 1, inputs: { s3: 'inputs/a..b' } })).not.toThrow();
  });
});
