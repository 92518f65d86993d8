/** What a batch refuses, each by one sentence, and what it warns of. */
import { Duration, Lazy, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { BatchItems, SlicedInferenceBatch, type SlicedInferenceBatchProps } from '../../../lib';
import { addPipeline, errorOf, newApp, newStack, shortTemplate } from '../../support/pipeline-stack';

type Props = Partial<SlicedInferenceBatchProps>;

const stack = newStack();
const pipeline = addPipeline(stack, 'Plain');
const other = s3.Bucket.fromBucketAttributes(stack, 'Other', { bucketName: 'other', region: 'eu-west-1' });
const token = Lazy.number({ produce: () => 1 });
const anywhere = Lazy.string({ produce: () => 'inputs/docs/' });
const items = BatchItems.objects('inputs/docs/');

const add = (props: Props, owner: Stack = stack) =>
  new SlicedInferenceBatch(owner, `Batch${owner.node.children.length}`, { pipeline, items, ...props });

const env = { account: '111111111111', region: 'us-east-1' };
const abroad = () => add({ items: BatchItems.csv('a/b', 'c', other) }, new Stack(newApp(), 'Here', { env }));

const whole = 'must be a whole number';
const percentage = 'toleratedFailurePercentage must be a number from 0 to 100, got';
const folder = 'a prefix of items must be a folder in a bucket, such as inputs/documents/, got';
const manifest = 'an inventory must be the key of its manifest.json, in a folder for its date, got';
const list = 'a list of items must be in a folder of its own, such as inputs/nightly/a.csv, got';
const requests = 'in the bucket of a pipeline without preprocess, because they are its requests, got';

test.each<[message: string, refused: () => unknown]>([
  ['pipeline must be set, got undefined: pass the construct', () => add({ pipeline: undefined })],
  [`itemsPerRun ${whole} from 1 to 500, got 501: use one of these`, () => add({ itemsPerRun: 501 })],
  [`itemsPerRun ${whole} from 1 to 500, got a CDK token`, () => add({ itemsPerRun: token })],
  [`maxConcurrency ${whole} from 1 to 10000, got 0`, () => add({ maxConcurrency: 0 })],
  [`toleratedFailures ${whole} of 0 or more, got 0.5`, () => add({ toleratedFailures: 0.5 })],
  [`${percentage} 101: use one of these`, () => add({ toleratedFailurePercentage: 101 })],
  ['timeout must be 1 second or more, got 0 seconds', () => add({ timeout: Duration.seconds(0) })],
  ["the stack of its pipeline, got 'Stack': create the batch in that stack", () => add({}, newStack())],
  ['the bucket of the items must be in the region of the stack, us-east-1, got eu-west-1', abroad],
  [`${requests} 'scans/': set a`, () => add({ items: BatchItems.objects('scans/') })],
  [`${requests} another bucket`, () => add({ items: BatchItems.objects('inputs/docs/', other) })],
  [`${folder} 'inputs/docs': name it without * ? { } and $`, () => BatchItems.objects('inputs/docs')],
  [`${folder} 'inputs/{% $x %}/'`, () => BatchItems.objects('inputs/{% $x %}/')],
  [`${folder} 'inputs/xxx`, () => BatchItems.objects(`inputs/${'x'.repeat(900)}/`)],
  [`${folder} a CDK token`, () => BatchItems.objects(anywhere)],
  [`${manifest} 'today/manifest.json'`, () => BatchItems.inventory('today/manifest.json', other)],
  [`${list} 'a.jsonl'`, () => BatchItems.jsonLines('a.jsonl')],
  [`${list} 'inputs/a.jsonl'`, () => BatchItems.jsonLines('inputs/a.jsonl')],
  [`${list} 'a.json'`, () => BatchItems.jsonArray('a.json')],
  ["a JSON array must be one object, got 'lists/'", () => BatchItems.jsonArray('lists/')],
  [`${list} 'lists/*/'`, () => BatchItems.csv('lists/*/', 'key')],
  [`${list} '/'`, () => BatchItems.parquet('/')],
  ["column must be the name of a column, got '': name it", () => BatchItems.csv('lists/a.csv', '')],
  ["column must be the name of a column, got ''", () => BatchItems.csv('lists/', '')],
])('refuses: %s', (message, refused) => {
  expect(errorOf(refused)).toContain(message);
});

/** Where runs are slowest, an item takes 20 s, and 10 s are over before the first one. Children wait up to a second for each hundred at once. */
test.each<[props: Props, itemsPerRun: number, advised: string | undefined, firstSeconds?: number]>([
  // A third of the time that is left.
  [{}, 4, undefined],
  [{ itemsPerRun: 13 }, 13, undefined],
  [{ itemsPerRun: 14 }, 14, 'set itemsPerRun to 13 or less'],
  [{ maxConcurrency: 10_000 }, 2, undefined],
  [{ maxConcurrency: 10_000, itemsPerRun: 10 }, 10, 'set itemsPerRun to 8 or less'],
  [{}, 1, undefined, 254],
  [{}, 1, 'use more memory or more slices', 255],
])(
  'with %j, %d items run in a child, and more are warned of',
  (props, itemsPerRun, advised, firstSeconds = 10) => {
    const own = newStack();
    const slow = addPipeline(own, 'Pipeline');
    const batchItem = {
      itemMs: 1000,
      slowFirstMs: 1000 * firstSeconds,
      slowItemMs: 20_000,
      bytes: 1,
      packBytes: 1000,
    };
    Object.assign(slow, { _deployed: { ...slow._deployed, batchItem } });
    new SlicedInferenceBatch(own, 'Batch', { pipeline: slow, items, ...props });
    const found = Annotations.fromStack(own).findWarning(
      '*',
      Match.stringLikeRegexp(' of a run may take lo'),
    );
    expect(found.map(({ entry }) => /: ([^:]*) \[ack/.exec(entry.data as string)?.[1])).toEqual(
      advised === undefined ? [] : [advised],
    );
    const { resource, template } = shortTemplate(own);
    expect(resource('Batch/StateMachine').DefinitionString).toContain(`"MaxItemsPerBatch":${itemsPerRun},`);
    // For batches that are in progress during a deployment.
    template.allResources('AWS::Lambda::Version', { UpdateReplacePolicy: 'Retain' });
  },
);
