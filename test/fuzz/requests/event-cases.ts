/** Creates the event of a run, as the JSON text that Lambda parses. */
import type { CaseSource, FuzzCase } from '../cases';
import type { Json } from '../mutate-json';
import { HOSTILE_STRINGS, mutateJson } from '../mutate-json';
import { Random } from '../random';
import { DEPLOYMENT_DIGEST } from '../../support/tiny-slice';
import { mutateRequest } from './mutate-request';
import { REQUEST_BOMBS } from './request-bombs';
import { hostileRun, validRun } from './runs';
import { validRequest } from './valid-requests';

/** Models of the slices that `event-target.ts` sends the event to, by choice. */
export const EVENT_MODELS = ['tiny', 'echo'] as const;

/** Limit of mutations of one event. */
const MOST_MUTATIONS = 3;

type Event = Record<string, Json>;

const EVENT_MUTATIONS: Readonly<Record<string, (random: Random, event: Event) => void>> = {
  'change the run': (random, event) => {
    event.run = hostileRun(random);
  },
  'change the deployment': (random, event) => {
    event.deploymentDigest = random.pick<Json>([
      ...HOSTILE_STRINGS,
      ...['A1B2C3', ' a1b2c3', ['a1b2c3'], null, { toString: 1 }, [[[]]], 'f'.repeat(64)],
    ]);
  },
  'change the version': (random, event) => {
    event.version = random.pick<Json>([0, 2, '1', [1], null, true, 1.5]);
  },
  'change the warm-up': (random, event) => {
    event.warmUp = random.pick<Json>([true, false, null, 1, 'true', {}, []]);
  },
  'change the limit of tensors': (random, event) => {
    event.maxTensors = random.pick<Json>([0, 10, 98_304, 98_305, -1, 0.5, '10', null, {}, []]);
  },
  'change the tensors': (random, event) => {
    const text = random.pick<Json>([...HOSTILE_STRINGS, 's3', '', 'AAAA', 'A'.repeat(400_000), 7, null, {}]);
    event.tensors = random.pick<Json>([{ 0: text }, { 0: text }, { 1: text }, {}, [text], null, 's3', 1]);
  },
  'change the request': (random, event) => {
    if ('request' in event) mutateRequest(random, event.request);
  },
  'drop a field': (random, event) => {
    Reflect.deleteProperty(event, random.pick(Object.keys(event)));
  },
  'add a field': (random, event) => {
    const name = random.pick(['bucket', 'slice', 'constructor', '__proto__', 'toJSON', 'x']);
    const value = random.pick<Json>([...HOSTILE_STRINGS, {}, 1]);
    Object.defineProperty(event, name, { value, enumerable: true, writable: true, configurable: true });
  },
};

export class EventCaseMaker implements CaseSource {
  constructor(private readonly seed: number) {}

  make(run: number): FuzzCase {
    const random = new Random(`${this.seed}:${run}`);
    const choice = random.below(EVENT_MODELS.length);
    const model = EVENT_MODELS[choice];
    const event: Event = {
      version: 1,
      deploymentDigest: DEPLOYMENT_DIGEST,
      run: validRun(random),
      request: validRequest(random, model),
      ...(random.chance(0.1) && { warmUp: true }),
      ...(random.chance(0.3) && { maxTensors: 98_304 }),
    };
    const { text, steps } = random.chance(0.03) ? bomb(random, event) : mutated(random, event);
    return { title: `${model}: ${steps.join(', ')}`, content: Buffer.from(text), choice };
  }
}

function mutated(random: Random, event: Event): { text: string; steps: string[] } {
  const steps: string[] = [];
  for (let left = random.magnitude(MOST_MUTATIONS); left > 0 && random.chance(0.9); left--) {
    const step = random.pick(Object.keys(EVENT_MUTATIONS));
    // A mutation of a request expects a valid one.
    if (steps.includes(step)) continue;
    EVENT_MUTATIONS[step](random, event);
    steps.push(step);
  }
  if (random.chance(0.2)) steps.push(...mutateJson(random, event, MOST_MUTATIONS));
  return { text: JSON.stringify(event), steps };
}

/** Puts an expensive value in place of the event or of one of its fields. */
function bomb(random: Random, event: Event): { text: string; steps: string[] } {
  const step = random.pick(Object.keys(REQUEST_BOMBS));
  const text = REQUEST_BOMBS[step](random);
  if (random.chance(0.2)) return { text, steps: [step] };
  const field = random.pick(['version', 'deploymentDigest', 'run', 'warmUp', 'request', 'tensors', 'x']);
  Reflect.deleteProperty(event, field);
  return {
    text: `${JSON.stringify(event).slice(0, -1)},"${field}":${text}}`,
    steps: [`${step} as ${field}`],
  };
}
