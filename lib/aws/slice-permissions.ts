/** The permissions of slice functions, callers and readers: the objects that each needs, and no others. */
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type { SourcedTensor } from '../../contract/slice-manifest';
import { type ExpressBucket, sessionStatement } from './express-bucket';
import { keyUseStatement } from './key';
import type { SliceObject } from './slice-object';
import { INPUTS_PREFIX, OUTPUTS_PREFIX, outputObjectKey, sliceObjectKey } from '../../contract/keys';

interface SlicePermissionsProps {
  readonly slice: number;
  readonly isLast: boolean;
  /** The slice's inputs. For the last slice also the results, which it gathers. */
  readonly reads: readonly SourcedTensor[];
  /** The slice's own files. */
  readonly files: readonly SliceObject[];
  readonly bucket: s3.IBucket;
  /** Holds the tensors between slices, if it is set. */
  readonly expressBucket?: ExpressBucket;
  /** Key of the loaders' claim, which the function of the whole model reads and writes. */
  readonly loaderKey?: string;
}

/** The names of runs are not known at deployment. */
const ANY_RUN = '*';

/** The permissions of one slice: its own files, the objects that it reads, and the object that it writes. */
export function slicePermissions(props: SlicePermissionsProps): iam.PolicyStatement[] {
  const { slice, isLast, bucket, expressBucket } = props;
  const objects = (keys: readonly string[]): string[] => keys.map((key) => bucket.arnForObjects(key));
  const written = isLast ? outputObjectKey(ANY_RUN) : sliceObjectKey(ANY_RUN, slice);
  const claimed = props.loaderKey === undefined ? [] : [props.loaderKey];
  const statements = [
    new iam.PolicyStatement({
      sid: 'ReadSlice',
      actions: ['s3:GetObject'],
      resources: props.files.map(({ arn }) => arn),
    }),
  ];
  if (isLast || !expressBucket) {
    statements.push(
      new iam.PolicyStatement({
        sid: 'WriteTensors',
        actions: ['s3:PutObject'],
        resources: objects([written, ...claimed]),
      }),
    );
  }
  const readKeys = readableKeys(props);
  if (readKeys.length > 0) {
    statements.push(
      new iam.PolicyStatement({
        sid: 'ReadTensors',
        actions: ['s3:GetObject'],
        resources: objects(readKeys),
      }),
    );
  }
  const readsSlices = props.reads.some(({ source }) => source.from === 'slice' && source.slice !== slice);
  if (expressBucket && (readsSlices || !isLast))
    statements.push(sessionStatement(expressBucket.bucketArn, !isLast));
  return statements;
}

interface SharedPermissionsProps {
  readonly bucket: s3.IBucket;
  /** The files of all slices. */
  readonly files: readonly SliceObject[];
  readonly logGroup: logs.ILogGroup;
}

/** The permissions that the functions of all slices have in common: their log group, and the keys of their buckets. */
export function sharedPermissions({
  bucket,
  files,
  logGroup,
}: SharedPermissionsProps): iam.PolicyStatement[] {
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

/** The keys of requests and of the objects of other slices that the slice reads. */
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

/** A permission, with the bucket or key whose resource policy can grant it to principals in other accounts. */
export interface GrantedPermission {
  readonly statement: iam.PolicyStatement;
  readonly resource: iam.GrantWithResourceOptions['resource'];
}

/** The permissions that a caller needs on the bucket: to put requests and to get results. */
export function callerPermissions(bucket: s3.IBucket): GrantedPermission[] {
  return [
    writeInputs(bucket),
    readOutputs(bucket),
    ...keyPermissions(bucket, ['kms:Decrypt', 'kms:GenerateDataKey']),
  ];
}

/** The permissions to read results. */
export function readerPermissions(bucket: s3.IBucket): GrantedPermission[] {
  return [readOutputs(bucket), ...keyPermissions(bucket, ['kms:Decrypt'])];
}

/** The permissions to write requests. S3 reads nothing with the key, because such an object has one part. */
export function writerPermissions(bucket: s3.IBucket): GrantedPermission[] {
  return [writeInputs(bucket), ...keyPermissions(bucket, ['kms:GenerateDataKey'])];
}

function writeInputs(bucket: s3.IBucket): GrantedPermission {
  const statement = new iam.PolicyStatement({
    actions: ['s3:PutObject'],
    resources: [bucket.arnForObjects(`${INPUTS_PREFIX}*`)],
  });
  return { statement, resource: bucket };
}

function readOutputs(bucket: s3.IBucket): GrantedPermission {
  const statement = new iam.PolicyStatement({
    actions: ['s3:GetObject'],
    resources: [bucket.arnForObjects(`${OUTPUTS_PREFIX}*`)],
  });
  return { statement, resource: bucket };
}

function keyPermissions({ encryptionKey }: s3.IBucket, actions: string[]): GrantedPermission[] {
  return encryptionKey
    ? [{ statement: keyUseStatement(encryptionKey, actions), resource: encryptionKey }]
    : [];
}
