/** Several items in one request, for a model whose bits have been compared. */
import type { DeployedPlan } from '../aws/deployed-plan';
import { SlicedInferenceError, quoted } from '../errors';
import { batchDimension } from '../plan/batch-dimension';
import { verifiedItems } from '../plan/stacking-token';

/**
 * Runs several items of equal shapes as one request, stacked along the first dimension of all tensors. Some kernels of ONNX Runtime then
 * compute other bits, so this must be verified for each model: `sliced-inference verify MODEL --batch 8` prints the text to pass here.
 *
 * @example
 * const stacking = Stacking.verified('0123456789ab-8');
 */
export class Stacking {
  /**
   * Takes the token of a verified model.
   *
   * @param token what `sliced-inference verify MODEL --batch N` printed: it names the sliced model, its number of threads and N
   */
  public static verified(token: string): Stacking {
    return new Stacking(token);
  }

  private constructor(private readonly token: string) {}

  /**
   * @throws SlicedInferenceError if the token is that of another model
   * @internal
   */
  public _items(plan: DeployedPlan): number {
    const items = verifiedItems(this.token, plan);
    const dimension = batchDimension(plan.inputs, plan.outputs);
    const planned = plan.dimensions[dimension];
    if (planned >= items) return items;
    throw new SlicedInferenceError(
      `the pipeline must be planned for ${items} stacked items, because memory depends on them`,
      `${planned} for dimension ${quoted(dimension)}`,
      `set dimensions: { ${quoted(dimension)}: ${items} } of the pipeline`,
    );
  }
}
