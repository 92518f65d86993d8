/** The line of a CDK app in TypeScript that deploys what a plan recommends. */
import { key, literal } from '../terminal/literals';
import type { PlanReport } from './plan-report';

/** @param slices that the user has asked for; without a number, the construct cuts as the plan does */
export function deployLine(
  modelPath: string,
  { model, choice }: Pick<PlanReport, 'model' | 'choice'>,
  slices?: number,
): string {
  const sizes = model.dimensions.map(({ name, size }) => `${key(name)}: ${size}`);
  const props = [
    `modelPath: ${literal(modelPath, "'")}`,
    ...(sizes.length === 0 ? [] : [`dimensions: { ${sizes.join(', ')} }`]),
    ...(choice === 'one-function' || slices === undefined ? [] : [`slicing: Slicing.count(${slices})`]),
  ];
  const construct = choice === 'one-function' ? 'InferenceFunction' : 'SlicedInferencePipeline';
  return `new ${construct}(this, 'Model', { ${props.join(', ')} });`;
}
