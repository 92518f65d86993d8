/** Several items in one request, for a model for which somebody has verified it. */
import { Token } from 'aws-cdk-lib';
import { SlicedInferenceError, quoted } from '../errors';
import type { SlicePlan } from '../plan/file/plan';
import { stackingToken } from '../plan/stacking-token';

/**
 * Runs several items of equal shapes as one request, stacked along the first dimension of all tensors. Some kernels of ONNX Runtime then
 * compute other bits, so this must be verified for each model: `sliced-inference verify MODEL --batch 8` prints the text to pass here.
 *
 * @example
 * const stacking = Stacking.verified('0123456789ab-8');
 */
export class Stacking {
  /**
   * @param token what `sliced-inference verify MODEL --batch N` printed: it names the model and the number of items
   * @throws an error of one line if the text is not such a token
   */
  public static verified(token: string): Stacking {
    const items = Number(/^[0-9a-f]{12}-(\d{1,2})$/.exec(token)?.[1]);
    if (items >= 2 && items <= 40) return new Stacking(token, items);
    throw new SlicedInferenceError(
      'Stacking.verified must get the token of `sliced-inference verify MODEL --batch N`, with N from 2 to 40',
      Token.isUnresolved(token) ? 'a CDK token' : quoted(token),
      'run that command, and pass the token that it prints',
    );
  }

  private constructor(
    private readonly token: string,
    /** @internal */
    public readonly _items: number,
  ) {}

  /** @internal */
  public _check(plan: SlicePlan): void {
    const expected = stackingToken(plan, this._items);
    if (this.token !== expected) {
      throw new SlicedInferenceError(
        `stacking must be verified for the model of the pipeline (${expected.split('-')[0]})`,
        quoted(this.token),
        `run \`sliced-inference verify MODEL --batch ${this._items}\` again`,
      );
    }
  }
}
