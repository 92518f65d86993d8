/** Finds operators that draw random numbers and refuses unseeded ones, whose results differ in every session. */
import { SlicedInferenceError } from '../errors';
import { callKey, functionsByKey } from '../onnx/local-functions';
import { type Model, type Node, type OperatorUse, nodeLabel } from '../onnx/model';

/** Operators of ai.onnx that draw random numbers. With a `seed`, each session repeats the same sequence from its start. */
const RANDOM_OPERATORS = new Set(
  'Bernoulli Multinomial RandomNormal RandomNormalLike RandomUniform RandomUniformLike'.split(' '),
);

/** From opset 12 on, the inputs of `Dropout` are data, ratio and training_mode. Without training_mode it copies data. */
const DROPOUT_TRAINING_INPUTS = 3;

/** By node: the random operators that it runs, including operators in its body graphs and local functions. */
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
  // Callers of a function run its random operators too. The loop visits each function at most once per representative.
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

/** At most one seeded and one unseeded operator: further operators of the same kind add no information. */
function representatives(uses: readonly OperatorUse[]): readonly OperatorUse[] {
  const firstOfEach = [uses.find((use) => use.seeded), uses.find((use) => !use.seeded)];
  return firstOfEach.filter((use) => use !== undefined);
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
      `${nodeLabel(node)} must compute the same result in every run`,
      `an unseeded ${unseeded.opType}`,
      unseeded.opType === 'Dropout'
        ? 'export the model for inference, without training_mode'
        : 'add a `seed` attribute',
    );
  }
}

function isRandom({ domain, opType, inputCount }: OperatorUse): boolean {
  if (domain !== '') return false;
  return RANDOM_OPERATORS.has(opType) || (opType === 'Dropout' && inputCount >= DROPOUT_TRAINING_INPUTS);
}
