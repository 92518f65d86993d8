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
    ['a list as signature', definition([]), 'a comment without a signature'],
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
    expect(readDescription(ARN, described).signature).toMatchObject(SIGNATURE);
  });

  const [tensor] = SIGNATURE.inputs;

  it.each<[changes: object, got?: string]>([
    [{ version: 2 }, 'a signature of version 2'],
    [{ deploymentDigest: 'x' }],
    [{ threads: 0.5 }],
    [{ bucket: 'evil/../bucket' }],
    [{ preprocess: 'yes' }],
    [{ inputs: {} }],
    [{ inputs: [{ ...tensor, name: 1 }] }],
    [{ inputs: [{ ...tensor, dtype: 'complex64' }] }],
    [{ outputs: [{ ...tensor, shape: [1.5] }] }],
    [{ outputs: [{ ...tensor, shape: [-1] }] }],
  ])(
    'is refused with a signature that is not of this library: %j',
    (changes, got = 'a malformed signature') => {
      const text = definition({ ...SIGNATURE, ...changes });
      expect(() => readDescription(ARN, { definition: text, type: 'EXPRESS' })).toThrow(
        `got ${got}: check the ARN`,
      );
    },
  );
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
