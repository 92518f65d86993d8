/** Creates the event of a run, as the JSON text that Lambda parses: valid but for its request (`inputs`), or mutated itself. */
import { DEPLOYMENT_DIGEST } from '../../support/tiny-slice';
import { type FuzzCase, mutateBy } from '../fuzz-case';
import { jsonBomb } from '../json/json-bombs';
import { define, mutateJson } from '../json/mutate-json';
import { HOSTILE_STRINGS, type Json, ODD_KEYS } from '../json/odd-values';
import type { Random } from '../random';
import { mutateRequest } from './mutate-request';
import { hostileRun, validRun } from './runs';
import { validRequest } from './valid-requests';

/** The choice of a case whose event is valid and must be accepted. */
export const VALID = 1;

/** Limit of mutations of one event. */
const MOST_MUTATIONS = 3;

/** An event has at most 6 MB: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const MOST_CHARACTERS = 3_000_000;

type Fields = Record<string, Json>;

/** Values that the fields of an event may have. */
const ODD_FIELDS: Readonly<Record<string, readonly Json[]>> = {
  version: [0, 2, '1', [1], null, true, 1.5],
  deploymentDigest: [
    ...HOSTILE_STRINGS,
    ...['A1B2C3', ' a1b2c3', ['a1b2c3'], null, { toString: 1 }, [[[]]], 'f'.repeat(64)],
  ],
  warmUp: [true, false, null, 1, 'true', {}, []],
  maxTensors: [0, 10, 98_304, 98_305, -1, 0.5, '10', null, {}, []],
  tensors: [
    ...[...HOSTILE_STRINGS, 's3', 'AAAA', 'A'.repeat(400_000), 7, null, {}].map((text) => ({ 0: text })),
    ...[{ 1: 's3' }, {}, ['s3'], null, 's3', 1],
  ],
};

const EVENT_MUTATIONS: Readonly<Record<string, (random: Random, event: Fields) => void>> = {
  'change the run': (random, event) => (event.run = hostileRun(random)),
  'change the request': (random, event) => {
    mutateRequest(random, (event.request = validRequest(random)));
  },
  ...Object.fromEntries(
    Object.entries(ODD_FIELDS).map(([name, values]) => [
      `change the ${name}`,
      (random: Random, event: Fields) => (event[name] = random.pick(values)),
    ]),
  ),
  'drop a field': (random, event) => {
    Reflect.deleteProperty(event, random.pick(Object.keys(event)));
  },
  'add a field': (random, event) => {
    define(event, random.pick([...ODD_KEYS, 'bucket']), random.pick<Json>([...HOSTILE_STRINGS, {}, 1]));
  },
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
  const steps = mutateRequest(random, request);
  return { title: steps.join(', '), content: JSON.stringify(event), choice: 0 };
}

export function eventCase(random: Random): FuzzCase {
  const event: Fields = {
    version: 1,
    deploymentDigest: DEPLOYMENT_DIGEST,
    run: validRun(random),
    request: validRequest(random),
    ...(random.chance(0.1) && { warmUp: true }),
    ...(random.chance(0.3) && { maxTensors: 98_304 }),
  };
  if (random.chance(0.03)) {
    const { step, text } = jsonBomb(random, event, MOST_CHARACTERS);
    return { title: step, content: text, choice: 0 };
  }
  const steps = random.chance(0.1)
    ? []
    : mutateBy(random, EVENT_MUTATIONS, MOST_MUTATIONS, (mutate) => {
        mutate(random, event);
      });
  if (random.chance(0.2)) steps.push(...mutateJson(random, event, MOST_MUTATIONS));
  return { title: steps.join(', '), content: JSON.stringify(event), choice: 0 };
}

/** Requests that are expensive to read; the large tensors fit their shapes, or almost. */
function requestBomb(random: Random, request: Json): { step: string; text: string } {
  const rows = random.magnitude(MOST_CHARACTERS / 12);
  const quads = random.magnitude(MOST_CHARACTERS / 4);
  const numbers = `"shape":[${rows + random.below(2)},3],"data":[${'1,'.repeat(3 * rows - 1)}1]`;
  const bytes = `"shape":[${3 * quads}],"base64":"${'A'.repeat(4 * quads - random.below(2))}"`;
  return random.pick([
    () => jsonBomb(random, request, MOST_CHARACTERS),
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
