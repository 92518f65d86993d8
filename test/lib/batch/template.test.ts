/** What the template of a batch has by its props: readers of items, permissions of the state machine, and traces. */
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type { Stack } from 'aws-cdk-lib';
import { BatchItems, SlicedInferenceBatch, type SlicedInferencePipelineProps } from '../../../lib';
import { type ShortTemplate, addPipeline, newStack, shortTemplate } from '../../support/pipeline-stack';

const FUNCTION = 'arn:aws:lambda:us-east-1:111111111111:function:before';

interface Statement {
  readonly Sid?: string;
  readonly Action: unknown;
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

function batchOf(
  items: (stack: Stack) => BatchItems,
  props: Partial<SlicedInferencePipelineProps> = {},
): ShortTemplate & { readonly statements: (role: string) => readonly Statement[] } {
  const stack = newStack();
  const preprocess = lambda.Function.fromFunctionArn(stack, 'Before', FUNCTION);
  const pipeline = addPipeline(stack, 'Pipeline', { preprocess, ...props });
  new SlicedInferenceBatch(stack, 'Batch', { pipeline, items: items(stack) });
  const short = shortTemplate(stack);
  const statements = (role: string): readonly Statement[] =>
    Object.entries(short.resources('AWS::IAM::Policy'))
      .filter(([path]) => path.startsWith(`Batch/${role}/`))
      .flatMap(([, { PolicyDocument }]) => (PolicyDocument as { Statement: Statement[] }).Statement);
  return { ...short, statements };
}

const other = (stack: Stack): s3.Bucket => new s3.Bucket(stack, 'Other');
const READ = 'arn:{AWS::Partition}:states:::s3:getObject';
const LIST = 'arn:{AWS::Partition}:states:::s3:listObjectsV2';
const READ_LISTS = { Sid: 'ReadItems', Action: 's3:GetObject', Resource: '{Other.Arn}/lists/*' };
const LIST_LISTS = {
  Sid: 'ListItems',
  Action: 's3:ListBucket',
  Resource: '{Other.Arn}',
  Condition: { StringLike: { 's3:prefix': 'lists/*' } },
};

test.each<[string, (stack: Stack) => BatchItems, object, object | object[]]>([
  [
    'objects',
    (stack) => BatchItems.objects('scans/', other(stack)),
    { Resource: LIST },
    {
      Sid: 'ListItems',
      Action: 's3:ListBucket',
      Resource: '{Other.Arn}',
      Condition: { StringLike: { 's3:prefix': 'scans/*' } },
    },
  ],
  [
    'an inventory',
    (stack) => BatchItems.inventory('inv/daily/2026/manifest.json', other(stack)),
    { Resource: READ, ReaderConfig: { InputType: 'MANIFEST' } },
    { Sid: 'ReadItems', Action: 's3:GetObject', Resource: '{Other.Arn}/inv/daily/*' },
  ],
  [
    'lines',
    (stack) => BatchItems.jsonLines('lists/a.jsonl', other(stack)),
    { Resource: READ, ReaderConfig: { InputType: 'JSONL' } },
    READ_LISTS,
  ],
  [
    'rows',
    (stack) => BatchItems.csv('lists/a.csv', 'key', other(stack)),
    { Resource: READ, ReaderConfig: { InputType: 'CSV', CSVHeaderLocation: 'FIRST_ROW' } },
    READ_LISTS,
  ],
  [
    'elements of an array',
    (stack) => BatchItems.jsonArray('lists/a.json', other(stack)),
    { Resource: READ, ReaderConfig: { InputType: 'JSON' } },
    READ_LISTS,
  ],
  [
    'rows of Parquet',
    (stack) => BatchItems.parquet('lists/a.parquet', other(stack)),
    { Resource: READ, ReaderConfig: { InputType: 'PARQUET' } },
    READ_LISTS,
  ],
  [
    'lines of several files',
    (stack) => BatchItems.jsonLines('lists/', other(stack)),
    { Resource: LIST, ReaderConfig: { InputType: 'JSONL', Transformation: 'LOAD_AND_FLATTEN' } },
    [LIST_LISTS, READ_LISTS],
  ],
  [
    'rows of several files',
    (stack) => BatchItems.csv('lists/', 'key', other(stack)),
    {
      Resource: LIST,
      ReaderConfig: {
        InputType: 'CSV',
        CSVHeaderLocation: 'FIRST_ROW',
        Transformation: 'LOAD_AND_FLATTEN',
      },
    },
    [LIST_LISTS, READ_LISTS],
  ],
  [
    'rows of several files of Parquet',
    (stack) => BatchItems.parquet('lists/', other(stack)),
    { Resource: LIST, ReaderConfig: { InputType: 'PARQUET', Transformation: 'LOAD_AND_FLATTEN' } },
    [LIST_LISTS, READ_LISTS],
  ],
])('a batch of %s reads them, and its state machine may do no more', (_, items, reader, expected) => {
  const { resource, statements } = batchOf(items);
  const definition = resource('Batch/StateMachine').DefinitionString as string;
  const found = /"ItemReader":(\{.*?\}\}|\{.*?\})(?=,"ResultWriter")/.exec(definition)?.[1] ?? '{}';
  expect(JSON.parse(found)).toEqual({
    ...reader,
    Arguments: expect.objectContaining({ Bucket: '{Other}' }) as object,
  });
  const own = statements('StateMachineRole');
  const ofItems = own.filter(({ Sid }) => Sid?.endsWith('Items'));
  expect(ofItems).toEqual([expected].flat().map((statement) => ({ Effect: 'Allow', ...statement })));
});

test('a state machine uses the key of the bucket of items besides that of results, and one key only once', () => {
  const key = (stack: Stack, id: string): kms.Key => new kms.Key(stack, id);
  const encrypted = (stack: Stack): BatchItems =>
    BatchItems.jsonLines('lists/a', new s3.Bucket(stack, 'Other', { encryptionKey: key(stack, 'Items') }));
  const actions = (own: readonly Statement[]): unknown[] =>
    own
      .filter(({ Action }) => JSON.stringify(Action).includes('kms:'))
      .map(({ Action, Resource }) => [Action, Resource]);
  const { statements } = batchOf(encrypted);
  expect(actions(statements('StateMachineRole'))).toEqual([['kms:Decrypt', '{Items.Arn}']]);

  const stack = newStack();
  const pipeline = addPipeline(stack, 'Pipeline', { encryptionKey: key(stack, 'Key') });
  new SlicedInferenceBatch(stack, 'Batch', { pipeline, items: BatchItems.jsonLines('lists/a') });
  const policies = Object.entries(shortTemplate(stack).resources('AWS::IAM::Policy'));
  const own = policies
    .filter(([path]) => path.startsWith('Batch/StateMachineRole/'))
    .flatMap(([, { PolicyDocument }]) => (PolicyDocument as { Statement: Statement[] }).Statement);
  expect(actions(own)).toEqual([[['kms:Decrypt', 'kms:GenerateDataKey'], '{Key.Arn}']]);
});

test.each([true, false])(
  'with tracing: %s, X-Ray traces the state machine and the function, which may send traces',
  (tracing) => {
    const { resource, statements } = batchOf((stack) => BatchItems.objects('scans/', other(stack)), {
      tracing,
    });
    const { TracingConfig } = resource('Batch/Function');
    expect(TracingConfig).toEqual(tracing ? { Mode: 'Active' } : undefined);
    const traces = statements('Role').filter(({ Action }) => JSON.stringify(Action).includes('xray:'));
    expect(traces).toHaveLength(tracing ? 1 : 0);
    const { TracingConfiguration } = resource('Batch/StateMachine');
    expect((TracingConfiguration as { Enabled?: boolean } | undefined)?.Enabled ?? false).toBe(tracing);
  },
);
