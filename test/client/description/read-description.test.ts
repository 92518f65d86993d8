import { readDescription } from '../../../client/description/pipeline-description';
import { parseStateMachineArn } from '../../../client/description/descriptions';

const ARN = 'arn:aws:states:eu-west-1:123456789012:stateMachine:Ocr';
const SIGNATURE = {
  version: 1,
  deploymentDigest: 'ab'.repeat(32),
  threads: 2,
  bucket: 'my-bucket',
  inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 3, null] }],
  outputs: [{ name: 'y', dtype: 'string', shape: null }],
};

function definition(signature: unknown, fields: object = {}): string {
  return JSON.stringify({ Comment: JSON.stringify({ slicedInference: signature }), ...fields });
}

describe('the description of a state machine', () => {
  it('has the signature, the bucket and the limits', () => {
    const text = definition({ ...SIGNATURE, preprocess: true }, { TimeoutSeconds: 900 });
    expect(readDescription(ARN, { definition: text, type: 'STANDARD' })).toEqual({
      stateMachineArn: ARN,
      type: 'STANDARD',
      bucket: 'my-bucket',
      signature: { ...SIGNATURE, preprocess: true },
      limits: {
        requestBytes: 261_120,
        inlineResultBytes: 184_320,
        executionInputBytes: 262_144,
        executionSeconds: 900,
      },
    });
  });

  it.each([
    ['EXPRESS', 300],
    ['STANDARD', undefined],
  ])('of type %s without a timeout has executions of at most %p seconds', (type, seconds) => {
    const { limits } = readDescription(ARN, { definition: definition(SIGNATURE), type });
    expect(limits.executionSeconds).toBe(seconds);
  });

  it.each([
    ['no definition', undefined, 'no definition that can be read'],
    ['a huge definition', ' '.repeat(2 ** 20 + 1), 'no definition that can be read'],
    ['no JSON', 'x', 'a comment without a signature'],
    ['a list', '[]', 'a comment without a signature'],
    ['another comment', '{"Comment":"mine"}', 'a comment without a signature'],
    ['a comment without text', '{"Comment":{"slicedInference":{}}}', 'a comment without a signature'],
  ])('is refused with %s', (_what, text, got) => {
    expect(() => readDescription(ARN, { definition: text, type: 'EXPRESS' })).toThrow(
      `${ARN} must be the state machine of a SlicedInferencePipeline, got ${got}: ` +
        'check the ARN, use invoke for your own state machine, or deploy with this version of the package',
    );
  });

  it('may have fields of a newer pipeline', () => {
    const [first, ...others] = SIGNATURE.inputs;
    const newer = { ...SIGNATURE, inputs: [{ ...first, later: 1 }, ...others], later: 1 };
    const described = { definition: definition(newer), type: 'EXPRESS' };
    expect(readDescription(ARN, described).signature).toEqual(SIGNATURE);
  });

  it('is refused with another type', () => {
    const described = { definition: definition(SIGNATURE), type: 'OTHER' };
    expect(() => readDescription(ARN, described)).toThrow('got another type: ');
  });

  const tensor = SIGNATURE.inputs[0];
  const withInput = (changes: object) => ({ ...SIGNATURE, inputs: [{ ...tensor, ...changes }] });
  const inTensor = 'a signature with inputs in which a tensor';

  it.each([
    [null, 'a signature that is null'],
    [{ ...SIGNATURE, version: 2 }, 'a signature of version 2'],
    [{ ...SIGNATURE, deploymentDigest: 'x' }, 'a signature without the digest of a deployment'],
    [{ ...SIGNATURE, threads: 0 }, 'a signature with threads of 0'],
    [{ ...SIGNATURE, bucket: 'evil/../bucket' }, 'a signature without a bucket'],
    [{ ...SIGNATURE, preprocess: 'yes' }, 'a signature with a flag of "yes"'],
    [{ ...SIGNATURE, inputs: {} }, 'a signature whose inputs are an object'],
    [
      { ...SIGNATURE, outputs: Array(100_001).fill(0) },
      'a signature whose outputs are a list of length 100001',
    ],
    [{ ...SIGNATURE, inputs: [tensor, tensor] }, 'a signature with two inputs of one name'],
    [{ ...SIGNATURE, inputs: [7] }, `${inTensor} that is a number`],
    [withInput({ name: 1 }), `${inTensor} has no name`],
    [withInput({ dtype: 'complex64' }), `${inTensor} has the type "complex64"`],
    [
      withInput({ shape: [1.5] }),
      `${inTensor} has the shape a list with a number that is not whole at position 0`,
    ],
    [withInput({ shape: [-1] }), `${inTensor} has the shape [-1]`],
  ])('is refused with a signature that is not of this library: %#', (signature, got) => {
    expect(() => readDescription(ARN, { definition: definition(signature), type: 'EXPRESS' })).toThrow(
      `got ${got}: check the ARN`,
    );
  });
});

describe('the ARN of a state machine', () => {
  it.each(['', ':live', ':12'])('has the region and names executions, with the qualifier %p', (qualifier) => {
    const arn = parseStateMachineArn(`${ARN}${qualifier}`);
    expect(arn.region).toBe('eu-west-1');
    expect(arn.executionArn('one')).toBe('arn:aws:states:eu-west-1:123456789012:execution:Ocr:one');
  });

  it.each([
    [undefined, 'nothing'],
    ['arn:aws:lambda:eu-west-1:1:function:Ocr', "'arn:aws:lambda:eu-west-1:1:function:Ocr'"],
    [`${ARN}:a:b`, `'${ARN}:a:b'`.slice(0, 60)],
    ['${Token[TOKEN.1]}', "'${Token[TOKEN.1]}'"],
  ])('is refused if it is %p', (value, got) => {
    expect(() => parseStateMachineArn(value)).toThrow(
      `option stateMachineArn must be the ARN of a state machine, got ${got}`,
    );
  });
});
