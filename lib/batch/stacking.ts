/** Several items in one request, for a model whose bits have been compared at some sizes. */
import type { DeployedPlan } from '../aws/deployed-plan';
import { SlicedInferenceError, quoted } from '../errors';
import { batchDimension } from '../plan/batch-dimension';
import { verifiedItems } from '../plan/stacking-token';

/**
 * Runs several items of equal shapes as one request, stacked along the first dimension of all tensors. ONNX Runtime then uses other kernels
 * for some sizes, and they may compute other bits. `sliced-inference verify MODEL --batch 8` compares the bits at one set of sizes, and prints
 * the text to pass here. The token says nothing about requests of other sizes: nothing checks these, and their results may have other bits than
 * those of single runs.
 *
 * @example
 * const stacking = Stacking.verified('0123456789ab-8');
 */
export class Stacking {
  /**
   * Takes the token of a model that was verified at the sizes of your requests.
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
