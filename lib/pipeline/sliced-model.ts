/** A model that `sliced-inference slice` has already cut, for stacks that synthesize without the model. */
import * as path from 'node:path';
import { Token } from 'aws-cdk-lib';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { sliceName } from '../../contract/keys';
import { checkRegion } from '../aws/buckets';
import { sliceFileAsset, type SliceObject, type SliceObjects } from '../aws/slice-files';
import { checkedSlices } from '../emit/store';
import { PLAN_FILE } from '../emit/write';
import { SlicedInferenceError, quoted } from '../errors';
import { knownAtSynth } from './known-at-synth';
import { type PlannedFile, type SlicePlan, prefixFault, remoteKey } from '../plan/file/plan';
import { readPlan } from '../compile/files/read-plan';
import type { StagedModel } from '../compile/stage';

/**
 * Returns where a slice's files are in S3. Files that are deployed as assets get asset constructs below `scope`.
 * `assetKey` is the KMS key of the bucket that assets are deployed through. `name` begins the constructs' ids; by default it is the
 * name of the slice.
 */
type PlaceSlice = (scope: Construct, slice: number, assetKey?: kms.IKey, name?: string) => SliceObjects;

/**
 * A model that `sliced-inference slice` has already cut. A stack that uses it is synthesized without the model and
 * without ONNX Runtime.
 *
 * @example
 * new SlicedInferencePipeline(stack, 'Ocr', {
 *   slicedModel: SlicedModel.fromDirectory('slices'),
 * });
 */
export class SlicedModel {
  /**
   * The slices in a folder that `sliced-inference slice --out DIR` has written. They are deployed with the stack, as
   * assets. The first synthesis after a file has changed reads the file and checks it against the plan.
   *
   * @param folder path of the folder, absolute or relative to the working directory of the CDK app
   * @throws an error of one line if the folder has no plan, if the plan is not valid, or if a file differs from the plan
   */
  public static fromDirectory(folder: string): SlicedModel {
    const known = knownAtSynth(folder, 'the folder of a sliced model');
    const plan = readPlan(path.join(known, PLAN_FILE));
    return SlicedModel._fromStaged({ plan, slices: checkedSlices(folder, plan) });
  }

  /**
   * The slices in a bucket, to which you uploaded the folder of `sliced-inference slice --for-bucket`. The synthesis needs
   * only the plan and does not check whether the objects exist. A slice function checks the bytes of its objects when
   * it loads them, and fails if they differ from the plan. Keep the objects as long as the stack is deployed.
   *
   * @param bucket the bucket, in the region of the stack. If it is imported and encrypted with a customer managed key,
   * import it with its `encryptionKey`.
   * @param prefix prefix of the objects, without a slash at its start or end: letters, digits, slashes and `!_.()=@+-`
   * @param planPath path of the folder's `plan.json` on this machine, or of a copy
   * @throws an error of one line if the prefix has other characters, or if the plan cannot be read or is not
   * valid; the pipeline throws one if the bucket is known to be in another region
   * @example
   * const models = s3.Bucket.fromBucketName(stack, 'Models', 'my-models');
   * const model = SlicedModel.fromBucket(models, 'ocr', 'ocr-plan.json');
   */
  public static fromBucket(bucket: s3.IBucket, prefix: string, planPath: string): SlicedModel {
    checkPrefix(prefix);
    const plan = readPlan(knownAtSynth(planPath, 'the path of a plan'));
    const { encryptionKey } = bucket;
    const place = (file: PlannedFile): SliceObject => {
      const key = remoteKey(prefix, file);
      const object = { uri: bucket.s3UrlForObject(key), arn: bucket.arnForObjects(key) };
      return { ...object, ...(encryptionKey && { encryptionKey }) };
    };
    return new SlicedModel(plan, (scope, slice, assetKey) => {
      checkRegion(scope, bucket, 'the bucket of a sliced model');
      if (assetKey) {
        throw new SlicedInferenceError(
          'assetEncryptionKey must be combined with slices that are deployed as assets',
          'slices in a bucket',
          'leave it out, and import the bucket with its encryptionKey if it has one',
        );
      }
      const { model, weights } = plan.slices[slice];
      return { model: place(model), ...(weights && { weights: place(weights) }) };
    });
  }

  /** @internal */
  public static _fromStaged({ plan, slices }: Pick<StagedModel, 'plan' | 'slices'>): SlicedModel {
    return new SlicedModel(plan, (scope, slice, assetKey, name = sliceName(slice)) => {
      const planned = plan.slices[slice];
      const { model, weights } = slices[slice];
      const asset = (kind: string, file: string, plannedFile: PlannedFile): SliceObject => {
        const { s3ObjectUrl, s3ObjectKey, bucket } = sliceFileAsset(
          scope,
          `${name}-${kind}`,
          file,
          plannedFile,
        );
        const object = { uri: s3ObjectUrl, arn: bucket.arnForObjects(s3ObjectKey) };
        return { ...object, ...(assetKey && { encryptionKey: assetKey }) };
      };
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

function checkPrefix(prefix: string): void {
  // Only CloudFormation knows the text of a token.
  if (Token.isUnresolved(prefix)) return;
  const fault = prefixFault(prefix);
  if (fault === undefined) return;
  throw new SlicedInferenceError(
    'the prefix of a sliced model must be one that `sliced-inference slice` accepts',
    quoted(prefix),
    fault,
  );
}
