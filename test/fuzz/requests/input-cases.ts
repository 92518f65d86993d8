/** Creates the request of a run, as the JSON text that Lambda parses. */
import type { CaseSource, FuzzCase } from '../cases';
import { Random } from '../random';
import { mutateRequest } from './mutate-request';
import { REQUEST_BOMBS } from './request-bombs';
import { MODELS, validRequest, type ModelName } from './valid-requests';

interface InputChoice {
  readonly model: ModelName;
  /** Whether the request is valid and must be accepted. */
  readonly isValid: boolean;
}

export function inputChoice(choice: number): InputChoice {
  return { model: MODELS[choice % MODELS.length], isValid: choice >= MODELS.length };
}

export class InputCaseMaker implements CaseSource {
  constructor(private readonly seed: number) {}

  make(run: number): FuzzCase {
    const random = new Random(`${this.seed}:${run}`);
    const choice = random.below(MODELS.length);
    const model = MODELS[choice];
    if (random.chance(0.03)) {
      const bomb = random.pick(Object.keys(REQUEST_BOMBS));
      return { title: `${model}: ${bomb}`, content: Buffer.from(REQUEST_BOMBS[bomb](random)), choice };
    }
    const request = validRequest(random, model);
    const isValid = random.chance(0.1);
    const steps = isValid ? ['valid'] : mutateRequest(random, request);
    return {
      title: `${model}: ${steps.join(', ')}`,
      content: Buffer.from(JSON.stringify(request)),
      choice: choice + (isValid ? MODELS.length : 0),
    };
  }
}
