/** Creates the event of a run, as the JSON text that Lambda parses: valid but for its request (`inputs`), or mutated itself. */
import { TENSOR_DATA_TYPES } from '../../../contract/tensors';
import { DEPLOYMENT_DIGEST } from '../../support/tiny-slice';
import type { FuzzCase } from '../fuzz-case';
import { jsonBomb } from '../json/json-bombs';
import { mutateJson } from '../json/mutate-json';
import {
  HOSTILE_STRINGS,
  type Json,
  ODD_NUMBERS,
  ODD_SHAPES,
  type OddFields,
  words,
} from '../json/odd-values';
import type { Random } from '../random';
import { ODD_RUNS, validRun } from './runs';
import { STORED_KEY, validRequest } from './valid-requests';

/** The choice of a case whose event is valid and must be accepted. */
export const VALID = 1;

/** Limit of mutations of one event. */
const MOST_MUTATIONS = 3;

/** An event has at most 6 MB: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const MOST_CHARACTERS = 3_000_000;

/** With more, the check of what the library tells of a request takes more memory than the library. */
const MOST_BOMB = 1_000_000;

/** Elements at the limits of types, and of other kinds. */
const ODD_ELEMENTS: readonly Json[] = [
  ...ODD_NUMBERS,
  ...[-128, -129, 255, 256, 32_767, 32_768, -32_769, 65_535, 65_536, 65_504, 65_519.99, 65_520, 2049],
  ...[
    6e-8,
    2.9e-8,
    2 ** 31 - 1,
    -(2 ** 31) - 1,
    2 ** 32 - 1,
    2 ** 53 - 1,
    2 ** 53 + 2,
    2 ** 63,
    3.4028234e38,
  ],
  ...[3.4028236e38, 1e-46, 5e-324, 1.5, '1', 'NaN', null, true, [1], {}, 'a\0b', '\ud800', '\u2028'],
];

const ODD_OBJECT_KEYS = [
  ...words(
    'inputs/ inputs/none inputs//valid inputs/./valid inputs/../runs/a inputs/a/../../runs/a Inputs/valid',
  ),
  ...words(
    'runs/machine/run/slice-00.safetensors outputs/machine/run.safetensors /inputs/valid s3://pipeline/inputs/valid',
  ),
  ...[STORED_KEY, 'inputs/\ud800', 'inputs/a\nb', 'inputs/\u0085', `inputs/${'\u00e9'.repeat(600)}`],
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

export function inputCase(random: Random): FuzzCase {
  const request = validRequest(random);
  const event = {
    version: 1,
    deploymentDigest: DEPLOYMENT_DIGEST,
    run: 'machine/run/1764000000000',
    request,
  };
  if (random.chance(0.03)) {
    const { step, text } = requestBomb(random, request);
    const content = JSON.stringify({ ...event, request: 0 }).replace(
      '"request":0',
      () => `"request":${text}`,
    );
    return { title: step, content, choice: 0 };
  }
  if (random.chance(0.1)) return { title: 'valid', content: JSON.stringify(event), choice: VALID };
  const steps = mutateJson(random, request, MOST_MUTATIONS, ODD_REQUEST);
  return { title: steps.join(', '), content: JSON.stringify(event), choice: 0 };
}

export function eventCase(random: Random): FuzzCase {
  const event: Json = {
    version: 1,
    deploymentDigest: DEPLOYMENT_DIGEST,
    run: validRun(random),
    request: validRequest(random),
    ...(random.chance(0.1) && { warmUp: true }),
    ...(random.chance(0.3) && { maxTensors: 98_304 }),
    ...(random.chance(0.1) && { tensors: random.pick(ODD_EVENT.tensors) }),
  };
  if (random.chance(0.03)) {
    const { step, text } = jsonBomb(random, event, MOST_BOMB);
    return { title: step, content: text, choice: 0 };
  }
  const steps = random.chance(0.1) ? [] : mutateJson(random, event, MOST_MUTATIONS, ODD_EVENT);
  return { title: steps.join(', '), content: JSON.stringify(event), choice: 0 };
}

/** Requests that are expensive to read; the large tensors fit their shapes, or almost. */
function requestBomb(random: Random, request: Json): { step: string; text: string } {
  const rows = random.magnitude(MOST_CHARACTERS / 12);
  const quads = random.magnitude(MOST_CHARACTERS / 4);
  const numbers = `"shape":[${rows + random.below(2)},3],"data":[${'1,'.repeat(3 * rows - 1)}1]`;
  const bytes = `"shape":[${3 * quads}],"base64":"${'A'.repeat(4 * quads - random.below(2))}"`;
  return random.pick([
    () => jsonBomb(random, request, MOST_BOMB),
    () => ({ step: 'many elements', text: requestWith(`"x":{"dtype":"float32",${numbers}}`) }),
    () => ({ step: 'many bytes', text: requestWith(`"uint8":{"dtype":"uint8",${bytes}}`) }),
    () => ({
      step: 'too large for the state machine',
      text: `{"requestBytes":${random.pick(['261120', '261121', '1e300', '-1', '0.5', '"x"', 'null'])}}`,
    }),
  ])();
}

function requestWith(tensor: string): string {
  return `{"version":1,"inputs":{"tensors":{${tensor}}}}`;
}
