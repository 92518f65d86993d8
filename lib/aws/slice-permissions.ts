/** The permissions of slice functions: the objects that each needs, and no others. */
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type { SourcedTensor } from '../../contract/slice-manifest';
import { type ExpressBucket, sessionStatement } from './buckets';
import { keyUseStatement } from './key';
import type { SliceObject } from './slice-files';
import { INPUTS_PREFIX, outputObjectKey, sliceObjectKey } from '../../contract/keys';

interface SlicePermissionsProps {
  readonly slice: number;
  readonly isLast: boolean;
  readonly reads: readonly SourcedTensor[];
  readonly files: readonly SliceObject[];
  readonly bucket: s3.IBucket;
  readonly expressBucket?: ExpressBucket;
  /** Key of the loaders' claim, which the function of the whole model reads and writes. */
  readonly loaderKey?: string;
  /** Whether a function of the user before the model puts large tensors into S3. */
  readonly writesRequests?: boolean;
}

/** The names of runs are not known at deployment. */
const ANY_RUN = '*';

export function slicePermissions(props: SlicePermissionsProps): iam.PolicyStatement[] {
  const { slice, isLast, bucket, expressBucket } = props;
  const objects = (keys: readonly string[]): string[] => keys.map((key) => bucket.arnForObjects(key));
  const written = isLast ? outputObjectKey(ANY_RUN) : sliceObjectKey(ANY_RUN, slice);
  const claimed = props.loaderKey === undefined ? [] : [props.loaderKey];
  const requests = props.writesRequests ? [`${INPUTS_PREFIX}*`] : [];
  const allow = (sid: string, action: string, resources: string[]): iam.PolicyStatement =>
    new iam.PolicyStatement({ sid, actions: [action], resources });
  const files = props.files.map(({ arn }) => arn);
  const readKeys = readableKeys(props);
  const readsSlices = props.reads.some(({ source }) => source.from === 'slice' && source.slice !== slice);
  return [
    allow('ReadSlice', 's3:GetObject', files),
    ...(isLast || !expressBucket
      ? [allow('WriteTensors', 's3:PutObject', objects([written, ...claimed, ...requests]))]
      : []),
    ...(readKeys.length > 0 ? [allow('ReadTensors', 's3:GetObject', objects(readKeys))] : []),
    ...(expressBucket && (readsSlices || !isLast)
      ? [sessionStatement(expressBucket.bucketArn, !isLast)]
      : []),
  ];
}

export function sharedPermissions({
  bucket,
  files,
  logGroup,
}: Pick<SlicePermissionsProps, 'bucket' | 'files'> & {
  readonly logGroup: logs.ILogGroup;
}): iam.PolicyStatement[] {
  const statements = [
    new iam.PolicyStatement({
      sid: 'WriteLogs',
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [logGroup.logGroupArn],
    }),
  ];
  if (bucket.encryptionKey)
    statements.push(keyUseStatement(bucket.encryptionKey, ['kms:Decrypt', 'kms:GenerateDataKey']));
  for (const key of new Set(files.map(({ encryptionKey }) => encryptionKey))) {
    if (key && key !== bucket.encryptionKey)
      statements.push(keyUseStatement(key, ['kms:Decrypt'], 'UseModelKey'));
  }
  return statements;
}

/**
 * The permission to write traces. X-Ray supports no resources for these actions:
 * https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
 */
export function tracingStatement(): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'WriteTraces',
    actions: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
    resources: ['*'],
  });
}

function readableKeys({ slice, isLast, reads, expressBucket, loaderKey }: SlicePermissionsProps): string[] {
  const keys = new Set<string>(loaderKey === undefined ? [] : [loaderKey]);
  // A retry that finds the results of an earlier attempt returns those.
  if (isLast) keys.add(outputObjectKey(ANY_RUN));
  // The first slice checks the whole request, even tensors that it does not use.
  if (slice === 0) keys.add(`${INPUTS_PREFIX}*`);
  for (const { source } of reads) {
    if (source.from === 'request') keys.add(`${INPUTS_PREFIX}*`);
    else if (source.slice !== slice && !expressBucket) keys.add(sliceObjectKey(ANY_RUN, source.slice));
  }
  return [...keys].sort();
}
