/** The code of a CDK app in TypeScript that deploys what a plan recommends. */
import { key, listed, literal } from '../terminal/literals';
import type { PlanReport } from './plan-report';

/** @param slices that the user has asked for; without a number, the construct cuts as the plan does */
export function deployLines(
  modelPath: string,
  { model, choice }: Pick<PlanReport, 'model' | 'choice'>,
  slices?: number,
): string[] {
  const sizes = model.dimensions.map(({ name, size }) => `${key(name)}: ${size}`);
  const isFunction = choice === 'one-function';
  const props = [
    `modelPath: ${literal(modelPath, "'")},`,
    ...(sizes.length === 0 ? [] : listed('dimensions: { ', sizes, ' },')),
    ...(isFunction || slices === undefined ? [] : [`slicing: Slicing.count(${slices}),`]),
  ];
  const construct = isFunction ? 'InferenceFunction' : 'SlicedInferencePipeline';
  return [`new ${construct}(this, 'Model', {`, ...props.map((prop) => `  ${prop}`), '});'];
}
