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

/** By node: the random operators that it runs, those of body graphs and of local functions included. */
export function randomOperators(model: Model): readonly (readonly OperatorUse[])[] {
  const functions = functionsByKey(model);
  const byFunction = new Map<string, readonly OperatorUse[]>();

  const collect = (uses: readonly OperatorUse[]): readonly OperatorUse[] =>
    uses.flatMap((use) => {
      if (isRandom(use)) return [use];
      const key = callKey(use);
      const called = functions.get(key);
      if (called === undefined) return [];
      if (!byFunction.has(key)) {
        byFunction.set(key, []); // functions may not recurse; ONNX Runtime refuses those that do
        byFunction.set(key, collect(called.operators).slice(0, 1));
      }
      return byFunction.get(key) ?? [];
    });

  return model.graph.nodes.map((node) => collect(node.operators));
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
