/** Creates the event of a run, as the JSON text that Lambda parses: a half of them valid but for their request. */
import type { InlineTensor } from '../../../contract/execution';
import { TENSOR_DATA_TYPES, type TensorDataType } from '../../../contract/tensors';
import { elementBytes, elementCount } from '../../../lambda/tensors/tensor';
import { DEPLOYMENT_DIGEST } from '../../support/tiny-slice';
import type { FuzzCase } from '../case';
import { jsonBomb } from '../json-bombs';
import { mutateJson } from '../mutate-json';
import { HOSTILE_STRINGS, type Json, ODD_NUMBERS, ODD_SHAPES, type OddFields, words } from '../odd-values';
import { Random } from '../random';

/** The setting of a case whose event is valid and must be accepted. */
export const VALID = 'valid';

const MOST_MUTATIONS = 3;

/** With more, the check of what the library tells of a request takes more memory than the library. */
const MOST_BOMB = 1_000_000;

/** They occur in no message of the library, so they show if contents of a request get into one. */
export const CONTENTS = ['the patient is ill', 'their account is empty \u{1f600}', 4711.4711] as const;

/** A valid request in S3. */
export const STORED_KEY = 'inputs/valid';
export const STORED_TENSORS = validTensors(new Random('stored request'));

/** Names that an execution, a state machine or the label of a map may have. */
const RUN_NAMES = [
  ...words("machine run-1 a A_b-9 a.b ... order=7 it's(1) x@y! é 日本 \u{1f600} 1764000000000"),
  ...['n'.repeat(80), '0f0e0d0c-0000-4000-8000-000000000000'],
];

/** They are not the name of one run, or are not a name at all. */
const ODD_RUNS: readonly Json[] = [
  ...words(`/ // a a/ /a a//b a/b/ a/b/c/d/e ../x ../inputs/x ./a a/. a/.. a/../../inputs/x a/b/../../../inputs/x .. ../..
    a/* a/b? a/b#c a%2F..%2Fb/c a\\..\\b/c a/b:c a/b&c a/{b} a/\u0085 a/\ud800`),
  ...['', 'a/b c', 'a/b\tc', 'a/b\0', 'a/b\n', 'a/\uffff', 'a/\u2028', 'a/\ufeff', `a/${'b'.repeat(81)}`],
  ...['x'.repeat(5000), `${'a/'.repeat(2500)}b`, '../'.repeat(2000), null, 0, 1, true, [], ['a/b'], {}],
  ...[{ length: 3 }, { toString: 'a/b' }],
];

/** Elements at the limits of types, and of other kinds. */
const ODD_ELEMENTS: readonly Json[] = [
  ...ODD_NUMBERS,
  ...[-128, -129, 255, 256, 32_767, 32_768, -32_769, 65_535, 65_536, 65_504, 65_519.99, 65_520, 2049],
  ...[6e-8, 2.9e-8, 2 ** 31 - 1, -(2 ** 31) - 1, 2 ** 32 - 1, 2 ** 53 - 1, 2 ** 53 + 2, 2 ** 63],
  ...[3.4028234e38, 3.4028236e38, 1e-46, 5e-324, 1.5, '1', 'NaN', null, true, [1], {}],
  ...['a\0b', '\ud800', '\u2028'],
];

const ODD_OBJECT_KEYS = [
  ...words(`inputs/ inputs/none inputs//valid inputs/./valid inputs/../runs/a inputs/a/../../runs/a Inputs/valid /inputs/valid
    runs/machine/run/slice-00.safetensors outputs/machine/run.safetensors s3://pipeline/inputs/valid inputs/\ud800`),
  ...[STORED_KEY, 'inputs/a\nb', 'inputs/\u0085', `inputs/${'\u00e9'.repeat(600)}`],
  ...[1017, 1018].map((length) => `inputs/${'k'.repeat(length)}`),
];

const ODD_REQUEST: OddFields = {
  dtype: TENSOR_DATA_TYPES,
  shape: ODD_SHAPES,
  data: ODD_ELEMENTS,
  base64: ['', 'AAAA', 'AAA=', 'AAA', 'A-_A', 'AAAA\n', ' AAAA'],
  s3: ODD_OBJECT_KEYS,
  inputs: ODD_OBJECT_KEYS.map((s3) => ({ s3 })),
};

const ODD_EVENT: OddFields = {
  ...ODD_REQUEST,
  run: ODD_RUNS,
  version: [0, 2, '1', [1], null, true, 1.5],
  deploymentDigest: ['A1B2C3', ' a1b2c3', ['a1b2c3'], null, { toString: 1 }, [[[]]], 'f'.repeat(64)],
  warmUp: [true, false, null, 1, 'true', {}, []],
  maxTensors: [0, 10, 98_304, 98_305, -1, 0.5, '10', null, {}, []],
  tensors: [
    ...[...HOSTILE_STRINGS, 's3', 'AAAA', 'A'.repeat(400_000), 7, null, {}].map((text) => ({ 0: text })),
    ...[{ 1: 's3' }, {}, ['s3'], null, 's3', 1],
  ],
};

export function eventCase(random: Random): FuzzCase {
  const request = validRequest(random);
  const isRequestOnly = random.chance(0.5);
  const event = {
    version: 1,
    deploymentDigest: DEPLOYMENT_DIGEST,
    // The state machine makes names of two to four parts.
    run: Array.from({ length: random.between(2, 4) }, () => random.pick(RUN_NAMES)).join('/'),
    request,
    ...(!isRequestOnly && {
      ...(random.chance(0.1) && { warmUp: true }),
      ...(random.chance(0.3) && { maxTensors: 98_304 }),
      ...(random.chance(0.1) && { tensors: random.pick(ODD_EVENT.tensors) }),
    }),
  };
  if (random.chance(0.03)) {
    const { step, text } = jsonBomb(random, event, MOST_BOMB);
    return { title: step, content: text };
  }
  if (random.chance(0.1))
    return { title: 'valid', content: JSON.stringify(event), ...(isRequestOnly && { settings: VALID }) };
  const [mutated, odd] = isRequestOnly ? [request, ODD_REQUEST] : [event, ODD_EVENT];
  const steps = mutateJson(random, mutated, MOST_MUTATIONS, odd);
  return { title: steps.join(', '), content: JSON.stringify(event) };
}

function validRequest(random: Random): Json {
  const inputs = random.chance(0.2) ? { s3: STORED_KEY } : { tensors: validTensors(random) };
  const output = random.pick<Json>([{}, { inline: 'auto' }, { inline: 'never' }]);
  // A copy, without fields that are undefined.
  return JSON.parse(JSON.stringify({ version: 1, inputs, ...(random.chance(0.5) && { output }) })) as Json;
}

/** Those of the model have the names of their types. */
function validTensors(random: Random): Record<string, InlineTensor> {
  const tensors = TENSOR_DATA_TYPES.map((dtype) => {
    const shape = Array.from({ length: random.below(4) }, () => random.below(4));
    return [dtype, inlineTensor(random, dtype, shape)] as const;
  });
  return Object.fromEntries(tensors);
}

function inlineTensor(random: Random, dtype: TensorDataType, shape: number[]): InlineTensor {
  const length = elementCount(shape);
  if (dtype === 'string' || random.chance(0.5))
    return { dtype, shape, data: Array.from({ length }, () => element(random, dtype)) };
  const bytes = random.bytes(length * elementBytes(dtype));
  const valid = dtype === 'bool' ? bytes.map((byte) => byte & 1) : bytes;
  return { dtype, shape, base64: Buffer.from(valid).toString('base64') };
}

function element(random: Random, dtype: TensorDataType): string | boolean | number {
  const [ill, empty, account] = CONTENTS;
  if (dtype === 'string') return random.pick([ill, empty, '']);
  if (dtype === 'bool') return random.chance(0.5);
  if (dtype.startsWith('float'))
    return random.pick([account, -account, 0, 65504, -0.1, 1e-7, random.below(1000)]);
  return random.between(dtype.startsWith('u') ? 0 : -128, 127);
}
