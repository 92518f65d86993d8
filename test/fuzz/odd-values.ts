/** Values that JSON may have where a reader expects others. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Values for fields, by the name of the field, and for the items of arrays in these fields. */
export type OddFields = Readonly<Record<string, readonly Json[]>>;

export function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

/** Strings that mean something in a path, a policy, a template, a state machine, a shell or a terminal. */
export const HOSTILE_STRINGS = [
  ...words(`. .. ../../cdk x/../../cdk /tmp/owned C:\\Windows\\owned \\\\host\\share slice-00.onnx SLICE-00.ONNX
    slice-99.onnx slice-00.weights * ? runs/* arn:aws:s3:::* \${aws:username} \${AWS::AccountId} \${Token[AWS.AccountId.0]}
    \${Token[TOKEN.1]} #{Token[TOKEN.1]} -1.8881545897087503e+289 {{resolve:ssm:secret}} __proto__ constructor toString
    __metadata__ request slice float32 complex64 none`),
  ...['', '{% $states.input %}', '$(touch owned)', '`touch owned`', '; rm -rf /', '\0', 'a\0b', 'a\nb'],
  ...['\u001b[31mred', '\u202Etxt', '\ud800', '0'.repeat(64), 'A'.repeat(64), '0'.repeat(65)],
  ...['n'.repeat(300), 'n'.repeat(70_000)],
];

/** Numbers at and around the limits of types, offsets and Lambda's settings. */
export const ODD_NUMBERS = [
  ...[0, -0, -1, 1, 2, 3, 7, 0.5, 127, 128, 511, 512, 900, 901, 10_240, 10_241],
  ...[2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 1e21, 1e300, -1e300],
];

/** Values of all kinds, in JSON. */
export const ODD_VALUES = [
  ...words('null true false [] {} "" 0 "0" [[]] {"length":3} {"from":"slice","slice":0}'),
  `${'[{"slices":'.repeat(100)}1${'}]'.repeat(100)}`,
];

export const ODD_KEYS = ['', ...words('app length __proto__ constructor toJSON then weights source slice')];

/** Sizes and shapes; the product of some is 0 or a number that no tensor has. */
export const ODD_SHAPES: readonly Json[] = [
  ...[1, 1, 1, ...ODD_NUMBERS, [], [0], [3, 0], [1, 1, 1, 1, 1], Array<number>(20).fill(1)],
  ...[2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1].map((size) => [0, size, 3]),
];
