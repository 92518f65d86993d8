/** What the items of a batch are, and where they are. */
import { Token } from 'aws-cdk-lib';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type { BatchItemsKind } from '../../contract/batch';
import { INPUTS_PREFIX } from '../../contract/keys';
import { SlicedInferenceError, quoted } from '../errors';

/**
 * What a batch runs on: the objects below a prefix, the entries of one object, or the entries of all files below a prefix. An execution of
 * the batch can name another prefix or key below the same place. JSON arrays, Parquet and files below a prefix have not been tried on AWS.
 *
 * Without a `preprocess` function, an item names a request, a safetensors object below `inputs/` in the pipeline's bucket, or holds a
 * request. With one, an item may be anything that your function turns into a request: of an object it gets `{"bucket", "key"}`, and the
 * `etag` that `objects` listed, of a line or a row its JSON.
 *
 * @example
 * new SlicedInferenceBatch(stack, 'Nightly', {
 *   pipeline,
 *   items: BatchItems.objects('inputs/documents/'),
 * });
 */
export class BatchItems {
  /**
   * The objects below a prefix.
   *
   * @param prefix ends with a slash, such as `inputs/documents/`
   * @param bucket by default the pipeline's bucket. Another one needs a `preprocess` function
   * @throws an error of one line if the prefix does not end with a slash
   */
  public static objects(prefix: string, bucket?: s3.IBucket): BatchItems {
    return new BatchItems('objects', checkedPrefix(prefix), prefix, bucket);
  }

  /**
   * The objects that an inventory of S3 lists in files of CSV, with the columns that you chose for it. The state machine may read all
   * objects below the folder of the inventory's configuration.
   *
   * @param manifestKey key of a `manifest.json`, such as `inventory/data/daily/2026-11-01T00-00Z/manifest.json`
   * @param bucket the bucket that S3 writes the inventory to
   * @throws an error of one line if the key is not that of a manifest
   */
  public static inventory(manifestKey: string, bucket: s3.IBucket): BatchItems {
    const configuration = /^(.+\/)[^/]+\/manifest\.json$/.exec(manifestKey)?.[1];
    if (!isPlace(manifestKey) || configuration === undefined)
      throw badPlace(
        'an inventory must be the key of its manifest.json, in a folder for its date',
        manifestKey,
      );
    return new BatchItems('inventory', manifestKey, configuration, bucket);
  }

  /**
   * The lines of a JSON Lines object, or of all objects below a prefix, which must have this format. A line is a request
   * (docs/requests-and-results.md), without `output`, and may have an `id`:
   * `{"id": "a-1", "inputs": {"s3": "inputs/a.safetensors"}}`. Inline tensors may have up to 150 KiB. A line without `inputs` has tensors in
   * fields with the names of the model's inputs, as a row of Parquet has in columns.
   *
   * @param place a key such as `inputs/nightly/requests.jsonl`, in a folder, or a prefix with a slash at its end
   * @param bucket by default the pipeline's bucket
   * @throws an error of one line if the key is in no folder of its own
   */
  public static jsonLines(place: string, bucket?: s3.IBucket): BatchItems {
    return new BatchItems('jsonLines', place, folderOf(place, bucket), bucket);
  }

  /**
   * The elements of one JSON array, which are like the lines of `jsonLines`.
   *
   * @param key of an object that holds nothing but the array, such as `inputs/nightly/requests.json`, in a folder
   * @param bucket by default the pipeline's bucket
   * @throws an error of one line if the key is in no folder of its own, or if it is a prefix
   */
  public static jsonArray(key: string, bucket?: s3.IBucket): BatchItems {
    if (key.endsWith('/')) throw badPlace('a JSON array must be one object', key);
    return new BatchItems('jsonArray', key, folderOf(key, bucket), bucket);
  }

  /**
   * The rows of a CSV object whose first row has the names of the columns, or of all objects below a prefix, each of which has
   * these names.
   *
   * @param place a key such as `inputs/nightly/requests.csv`, in a folder, or a prefix with a slash at its end
   * @param column holds the key of each item's request. By default, columns hold the model's inputs by name, as JSON
   * @param bucket by default the pipeline's bucket
   * @throws an error of one line if the key is in no folder of its own, or if the column has no name
   */
  public static csv(place: string, column?: string, bucket?: s3.IBucket): BatchItems {
    if (column === '') throw new SlicedInferenceError('column must be the name of a column', "''", 'name it');
    return new BatchItems('csv', place, folderOf(place, bucket), bucket, column);
  }

  /**
   * The rows of a Parquet object, or of all objects below a prefix, as JSON with the names of the columns. Step Functions reads
   * files that are not compressed or that are compressed inside with Snappy, GZIP or Zstandard, with row groups of at most 256 MB
   * and a footer of at most 5 MB.
   *
   * @param place a key such as `inputs/nightly/rows.parquet`, in a folder, or a prefix with a slash at its end
   * @param bucket by default the pipeline's bucket
   * @throws an error of one line if the key is in no folder of its own
   */
  public static parquet(place: string, bucket?: s3.IBucket): BatchItems {
    return new BatchItems('parquet', place, folderOf(place, bucket), bucket);
  }

  private constructor(
    /** @internal */
    public readonly _kind: BatchItemsKind,
    /** @internal */
    public readonly _location: string,
    /**
     * Executions may name places below it.
     * @internal
     */
    public readonly _folder: string,
    /** @internal */
    public readonly _bucket?: s3.IBucket,
    /** @internal */
    public readonly _column?: string,
  ) {}
}

function checkedPrefix(prefix: string): string {
  if (isPlace(prefix) && prefix.endsWith('/')) return prefix;
  throw badPlace('a prefix of items must be a folder in a bucket, such as inputs/documents/', prefix);
}

/** Of its own in the pipeline's bucket, because the state machine and callers may read all of the folder. */
function folderOf(place: string, bucket?: s3.IBucket): string {
  const folder = place.slice(0, place.lastIndexOf('/') + 1);
  if (isPlace(place) && folder !== '' && (bucket || folder !== INPUTS_PREFIX)) return folder;
  throw badPlace('a list of items must be in a folder of its own, such as inputs/nightly/a.csv', place);
}

/** A wildcard would widen permissions, and an expression would run in the state machine. */
function isPlace(place: string): boolean {
  return !Token.isUnresolved(place) && /^[^/*?{}$][^*?{}$]*$/.test(place) && Buffer.byteLength(place) <= 900;
}

function badPlace(what: string, place: string): SlicedInferenceError {
  const got = Token.isUnresolved(place) ? 'a CDK token' : quoted(place);
  return new SlicedInferenceError(what, got, 'name it without * ? { } and $, in at most 900 bytes');
}
