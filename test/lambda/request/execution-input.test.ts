import { parseExecutionInput } from '../../../lambda/request/request';

const tensors = { x: { dtype: 'float32', shape: [1], data: [1] } };
const withKey = (s3: unknown) => ({ version: 1, inputs: { s3 } });
const long = (character: string, times: number) => withKey(`inputs/${character.repeat(times)}`);

it('an execution input can contain tensors', () => {
  const bytes = new Uint8Array(Float32Array.of(1).buffer);
  expect(parseExecutionInput({ version: 1, inputs: { tensors }, output: { inline: 'only' } })).toEqual({
    tensors: { kind: 'inline', tensors: new Map([['x', { dtype: 'float32', shape: [1], bytes }]]) },
    inline: 'only',
  });
});

it.each([undefined, {}, { inline: 'auto' }])(
  'an execution input has the inline mode "auto" if its output is %j',
  (output) => {
    expect(parseExecutionInput({ version: 1, inputs: { tensors }, output }).inline).toBe('auto');
  },
);

it.each([
  'inputs/a/b.safetensors',
  'inputs/a..b/.c/d.',
  `inputs/${'x'.repeat(1017)}`,
  // 1,024 bytes in UTF-8.
  `inputs/${'ü'.repeat(508)}x`,
])('an execution input can name the object %s', (key) => {
  expect(parseExecutionInput(withKey(key))).toEqual({ tensors: { kind: 'object', key }, inline: 'auto' });
});

const below =
  "'inputs.s3' of the execution's input must be a key below 'inputs/' in the pipeline's bucket, got";
const noDots = "'inputs.s3' of the execution's input must not contain the segments . and .., got";
const tooLong = "'inputs.s3' of the execution's input must have at most 1024 bytes, got";

it.each<[unknown, string]>([
  [undefined, "the execution's input must be a JSON object, got nothing"],
  [[], "the execution's input must be a JSON object, got a list of length 0"],
  [{ inputs: { tensors } }, "'version' of the execution's input must be 1, got nothing"],
  [{ version: 2, inputs: { tensors } }, "'version' of the execution's input must be 1, got 2"],
  [{ version: 1, input: 1, more: 2 }, "has the unknown field 'input': use only version, inputs, output"],
  [{ version: 1 }, "'inputs' of the execution's input must be a JSON object, got nothing"],
  [{ version: 1, inputs: { bucket: 'b' } }, "'inputs' of the execution's input has the unknown field 'b"],
  [{ version: 1, inputs: {} }, 'must have exactly one of s3 and tensors, got neither'],
  [{ version: 1, inputs: { s3: 'inputs/x', tensors } }, 'exactly one of s3 and tensors, got both'],
  [withKey('outputs/x'), `${below} 'outputs/x'`],
  [withKey(7), `${below} a number`],
  [withKey('inputs/../runs/x'), `${noDots} 'inputs/../runs/x'`],
  [long('ü', 509), `${tooLong} 'inputs/${'ü'.repeat(52)}…'`],
  [withKey('inputs/\ud800'), 'must be Unicode text, got a lone surrogate'],
  [{ version: 1, inputs: { tensors: [1] } }, "'inputs.tensors' of the execution's input must be a JSON"],
  [{ version: 1, inputs: { tensors }, output: { s3: 1 } }, "has the unknown field 's3': use only inline"],
  [{ version: 1, inputs: { tensors }, output: { inline: true } }, 'be "auto", "never" or "only", got true'],
])('an execution input is refused as InvalidInput if it is %j', (input, words) => {
  const message = expect.stringContaining(words) as string;
  expect(() => parseExecutionInput(input)).toThrow(
    expect.objectContaining({ name: 'InvalidInput', message }) as Error,
  );
});
