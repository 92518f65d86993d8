/** A model that was cut before: what a stack deploys when the model itself is somewhere else. */
import * as path from 'node:path';
import { Token } from 'aws-cdk-lib';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { sliceName } from '../../contract/keys';
import { sliceFileAsset } from '../aws/slice-asset';
import type { SliceObject, SliceObjects } from '../aws/slice-object';
import { assetObject, bucketObject } from '../aws/slice-object';
import { checkedSlices } from '../emit/check-folder';
import { PLAN_FILE } from '../emit/write';
import { SlicedInferenceError, quoted } from '../errors';
import { knownAtSynth } from './known-at-synth';
import type { PlannedFile, SlicePlan } from '../plan/plan';
import { readPlan } from '../compile/plan-file';
import { remoteKey } from '../plan/remote-key';
import type { StagedModel } from '../compile/stage';

/**
 * Gives a slice's files their places in S3, with constructs below `scope` where they need some. `assetKey` is the key of
 * the bucket that assets are deployed through.
 */
type PlaceSlice = (scope: Construct, slice: number, assetKey?: kms.IKey) => SliceObjects;

/**
 * A model that `sliced-inference slice` has cut. A stack that uses one needs neither the model nor ONNX Runtime when
 * it is synthesized.
 */
export class SlicedModel {
  /**
   * The slices in a folder, as `sliced-inference slice --out DIR` writes it. They are deployed with the stack, as
   * assets. A file is read at the first synthesis after it changed, to check it against the plan.
   *
   * @param folder path of the folder, absolute or relative to the working directory of the CDK app
   * @throws an error of one line for a folder without a plan, and for files that are not the plan's
   */
  public static fromDirectory(folder: string): SlicedModel {
    const plan = readPlan(path.join(knownAtSynth(folder, 'the folder of a sliced model'), PLAN_FILE));
    return SlicedModel._fromStaged({ plan, slices: checkedSlices(folder, plan) });
  }

  /**
   * The slices in a bucket, as `sliced-inference slice --out s3://BUCKET/PREFIX` uploads them. Only the plan is needed
   * when the stack is synthesized. Nothing checks then whether the objects are there; a slice function refuses one
   * with other bytes when it loads it. Keep the objects as long as the stack is deployed.
   *
   * @param bucket the bucket; an imported one under a customer key needs its `encryptionKey`
   * @param prefix what the command was given behind the bucket's name, without a slash at its end
   * @param planPath path of the plan on this machine, as `--plan` writes it
   */
  public static fromBucket(bucket: s3.IBucket, prefix: string, planPath: string): SlicedModel {
    if (!Token.isUnresolved(prefix) && (prefix.startsWith('/') || prefix.endsWith('/'))) {
      throw new SlicedInferenceError(
        'the prefix of a sliced model must begin and end without a slash',
        quoted(prefix),
        'leave the slash out',
      );
    }
    const plan = readPlan(knownAtSynth(planPath, 'the path of a plan'));
    const place = (file: PlannedFile): SliceObject => bucketObject(bucket, remoteKey(prefix, file));
    return new SlicedModel(plan, (_, slice, assetKey) => {
      if (assetKey) {
        throw new SlicedInferenceError(
          'assetEncryptionKey must be of slices that are deployed as assets',
          'slices of a bucket',
          'leave it out, and import the bucket with its encryptionKey if it has one',
        );
      }
      const { model, weights } = plan.slices[slice];
      return { model: place(model), ...(weights && { weights: place(weights) }) };
    });
  }

  /** @internal */
  public static _fromStaged({ plan, slices }: StagedModel): SlicedModel {
    return new SlicedModel(plan, (scope, slice, assetKey) => {
      const planned = plan.slices[slice];
      const { model, weights } = slices[slice];
      const name = sliceName(slice);
      const asset = (kind: string, file: string, plannedFile: PlannedFile): SliceObject =>
        assetObject(sliceFileAsset(scope, `${name}-${kind}`, file, plannedFile), assetKey);
      return {
        model: asset('model', model, planned.model),
        ...(planned.weights &&
          weights !== undefined && { weights: asset('weights', weights, planned.weights) }),
      };
    });
  }

  private constructor(
    /** @internal */
    public readonly _plan: SlicePlan,
    /** @internal */
    public readonly _place: PlaceSlice,
  ) {}
}
