/**
 * The distributed map of a batch. It renders the reader of items and the writer of results itself: CDK drops the one or the other class of
 * result writers, depending on a feature flag, some of its releases render arguments that JSONata does not allow, and its readers get
 * permissions for the whole bucket.
 */
import { Aws } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { BatchItemsKind } from '../../contract/batch';
import { MAP_RUNS_FOLDER } from '../../contract/batch-function';
import { keyUseStatement } from '../aws/key';
import { MAX_INPUT_BYTES, PREPROCESSED_INPUT_BYTES } from '../cost/batch-limits';
import type { BatchItems } from './batch-items';
import type { BatchSizes } from './batch-props';

export interface BatchPlaces {
  readonly items: BatchItems;
  readonly itemsBucket: s3.IBucket;
  /** The pipeline's bucket. */
  readonly bucket: s3.IBucket;
  readonly resultsPrefix: string;
  readonly hasPreprocess: boolean;
}

/** JSONata of the prefix or key of an execution's items. */
export function locationExpression({ _location: location }: BatchItems): string {
  // As JSON, so that a quotation mark in the name ends no text of JSONata.
  return `$exists($states.context.Execution.Input.items) ? $states.context.Execution.Input.items : ${JSON.stringify(location)}`;
}

export class BatchMap extends sfn.DistributedMap {
  public constructor(
    scope: Construct,
    id: string,
    private readonly places: BatchPlaces,
    sizes: BatchSizes,
  ) {
    super(scope, id, {
      queryLanguage: sfn.QueryLanguage.JSONATA,
      // A part of the names of its map runs and children.
      label: 'Items',
      maxConcurrency: sizes.maxConcurrency,
      mapExecutionType: sfn.StateMachineType.EXPRESS,
      itemSelector: {
        index: '{% $states.context.Map.Item.Index %}',
        value: '{% $states.context.Map.Item.Value %}',
      },
      itemBatcher: new sfn.ItemBatcher({
        maxItemsPerBatch: sizes.itemsPerRun,
        maxInputBytesPerBatch: places.hasPreprocess ? PREPROCESSED_INPUT_BYTES : MAX_INPUT_BYTES,
        batchInput: {
          execution: '{% $states.context.Execution.Name %}',
          prefix: '{% $states.input.prefix %}',
          index: '{% $states.input.index %}',
          salt: '{% $states.input.salt %}',
        },
      }),
    });
  }

  public override toStateJson(queryLanguage?: sfn.QueryLanguage): object {
    const { bucket, resultsPrefix } = this.places;
    return {
      ...super.toStateJson(queryLanguage),
      // Failed items fail no child. A child that fails all the same, such as for its time, must not end those beside it.
      ToleratedFailurePercentage: 100,
      ItemReader: itemReader(this.places),
      ResultWriter: {
        Resource: s3Action('putObject'),
        // A map that fails does not say where it has written, so the name of the execution is a part of it.
        Arguments: {
          Bucket: bucket.bucketName,
          Prefix: `{% '${resultsPrefix}${MAP_RUNS_FOLDER}' & $states.context.Execution.Name %}`,
        },
      },
    };
  }
}

function itemReader({ items, itemsBucket }: BatchPlaces): object {
  const location = `{% ${locationExpression(items)} %}`;
  const Bucket = itemsBucket.bucketName;
  const own = READER_CONFIGS[items._kind];
  if (!isPrefix(items))
    return { Resource: s3Action('getObject'), ReaderConfig: own, Arguments: { Bucket, Key: location } };
  return {
    Resource: s3Action('listObjectsV2'),
    // Step Functions then reads the listed objects: their items are those of the batch.
    ReaderConfig: own && { ...own, Transformation: 'LOAD_AND_FLATTEN' },
    Arguments: { Bucket, Prefix: location },
  };
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html */
const READER_CONFIGS: Readonly<Record<BatchItemsKind, object | undefined>> = {
  objects: undefined,
  inventory: { InputType: 'MANIFEST' },
  jsonLines: { InputType: 'JSONL' },
  jsonArray: { InputType: 'JSON' },
  csv: { InputType: 'CSV', CSVHeaderLocation: 'FIRST_ROW' },
  parquet: { InputType: 'PARQUET' },
};

function isPrefix({ _location: location }: BatchItems): boolean {
  return location.endsWith('/');
}

function s3Action(action: string): string {
  return `arn:${Aws.PARTITION}:states:::s3:${action}`;
}

export function allow(
  sid: string,
  actions: string[],
  resources: string[],
  conditions = {},
): iam.PolicyStatement {
  return new iam.PolicyStatement({ sid, actions, resources, conditions });
}

/** What the state machine itself does: read the items, and write the files of the map run. */
export function mapStatements(places: BatchPlaces): iam.PolicyStatement[] {
  const { items, itemsBucket, bucket, resultsPrefix } = places;
  const listed = { StringLike: { 's3:prefix': `${items._folder}*` } };
  const [key, itemsKey] = [bucket.encryptionKey, itemsBucket.encryptionKey];
  return [
    // https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html#itemreader-iam-policies
    ...(isPrefix(items) ? [allow('ListItems', ['s3:ListBucket'], [itemsBucket.bucketArn], listed)] : []),
    ...(items._kind === 'objects'
      ? []
      : [allow('ReadItems', ['s3:GetObject'], [itemsBucket.arnForObjects(`${items._folder}*`)])]),
    // https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
    allow(
      'WriteMapRuns',
      ['s3:PutObject', 's3:GetObject', 's3:ListMultipartUploadParts', 's3:AbortMultipartUpload'],
      [bucket.arnForObjects(`${resultsPrefix}${MAP_RUNS_FOLDER}*`)],
    ),
    // An upload in parts needs both: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
    ...(key ? [keyUseStatement(key, ['kms:Decrypt', 'kms:GenerateDataKey'])] : []),
    ...(itemsKey && itemsKey !== key ? [keyUseStatement(itemsKey, ['kms:Decrypt'], 'UseItemsKey')] : []),
  ];
}
