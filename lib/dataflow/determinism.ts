/** Finds operators that draw random numbers: unseeded ones can never be identical, cut or not. */
import { SlicedInferenceError } from '../errors';
import { callKey, functionsByKey } from '../onnx/local-functions';
import type { Model, Node, OperatorUse } from '../onnx/model';
import { nodeLabel } from '../onnx/model';

/** Operators of ai.onnx that draw random numbers, repeatable from a session's start when they carry a `seed`. */
const RANDOM_OPERATORS = new Set([
  'Bernoulli',
  'Multinomial',
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
]);

/** Inputs of `Dropout` from opset 12 on: data, ratio, training_mode. Without the third it passes data through. */
const DROPOUT_TRAINING_INPUTS = 3;

/** By node: random operators that it runs, those of body graphs and of local functions included. */
export function randomOperators(model: Model): readonly (readonly OperatorUse[])[] {
  const functions = functionsByKey(model);
  const callers = new Map<string, string[]>();
  const found = new Map<string, readonly OperatorUse[]>();
  const pending: string[] = [];
  for (const [key, { operators }] of functions) {
    for (const called of new Set(operators.map(callKey))) {
      if (!functions.has(called)) continue;
      const known = callers.get(called);
      if (known === undefined) callers.set(called, [key]);
      else known.push(key);
    }
    const own = representatives(operators.filter(isRandom));
    if (own.length > 0) pending.push(key);
    found.set(key, own);
  }
  // What a function draws, its callers draw too. Each function is visited at most once for each representative.
  for (let key = pending.pop(); key !== undefined; key = pending.pop()) {
    for (const caller of callers.get(key) ?? []) {
      const before = found.get(caller) ?? [];
      const after = representatives([...before, ...(found.get(key) ?? [])]);
      if (after.length === before.length) continue;
      found.set(caller, after);
      pending.push(caller);
    }
  }
  return model.graph.nodes.map(({ operators }) =>
    operators.flatMap((use) => (isRandom(use) ? [use] : (found.get(callKey(use)) ?? []))),
  );
}

/** A seeded and an unseeded operator say all that matters of any number of them. */
function representatives(uses: readonly OperatorUse[]): readonly OperatorUse[] {
  const ofEach = [uses.find((use) => use.seeded), uses.find((use) => !use.seeded)];
  return ofEach.filter((use) => use !== undefined);
}

/** @throws SlicedInferenceError when one of the nodes runs an unseeded random operator */
export function checkDeterministic(
  nodes: readonly Node[],
  random: readonly (readonly OperatorUse[])[],
): void {
  for (const node of nodes) {
    const unseeded = random[node.index].find((use) => !use.seeded);
    if (unseeded === undefined) continue;
    throw new SlicedInferenceError(
      `${nodeLabel(node)} must give the same result each time`,
      `an unseeded ${unseeded.opType}`,
      unseeded.opType === 'Dropout'
        ? 'export the model for inference, without training_mode'
        : 'give it a `seed` attribute',
    );
  }
}

function isRandom({ domain, opType, inputCount }: OperatorUse): boolean {
  if (domain !== '') return false;
  return RANDOM_OPERATORS.has(opType) || (opType === 'Dropout' && inputCount >= DROPOUT_TRAINING_INPUTS);
}
