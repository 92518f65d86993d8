/** The memory of a Map Run does not grow with the number of its items. */
import * as v8 from 'node:v8';
import * as vm from 'node:vm';
import type { StoredObject } from '../../../local/s3/store';
import { StateMachine } from '../../../local/step-functions/state-machine';
import { bucketOf, distributedMap, numbers } from '../../support/map-run-fixture';
import { column, parquetOf } from '../../support/parquet';

v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc') as () => void;

const PREFIX = 'in/';

/** Objects of a child. They are small, so only many of them show whether a list of them is held. */
const ItemBatcher = { MaxItemsPerBatch: 20 };

function* objects(children: number): Generator<Pick<StoredObject, 'key' | 'size' | 'etag' | 'lastModified'>> {
  for (let at = 0; at < children * ItemBatcher.MaxItemsPerBatch; at++)
    yield { key: `${PREFIX}${at}`, size: at, etag: '"tag"', lastModified: new Date(at) };
}

/** A file with these numbers as its items. */
async function fileOf(location: string, count: number): Promise<string | Buffer> {
  if (location.endsWith('.json')) return `[${numbers(count).trim().replaceAll('\n', ',')}]`;
  if (!location.endsWith('.parquet')) return numbers(count);
  return parquetOf(
    [
      column(
        'at',
        Array.from({ length: count }, (_, at) => at),
      ),
    ],
    { rowGroupSize: 500 },
  );
}

/** The most bytes that live at ten moments of a Map Run with so many children. A line is an item of its own. */
async function peakOf(location: string, count: number): Promise<number> {
  const { storage } = await bucketOf(
    location === PREFIX ? {} : { [location]: await fileOf(location, count) },
  );
  if (location === PREFIX) storage.list = () => objects(count) as ReturnType<typeof storage.list>;
  let [calls, moments, peak] = [0, 0, 0];
  const machine = new StateMachine(
    {
      ...{
        logicalId: 'M',
        name: 'M',
        arn: 'arn:aws:states:us-east-1:000000000000:stateMachine:M',
        type: 'STANDARD',
      },
      roleArn: undefined,
      definition: JSON.stringify({
        QueryLanguage: 'JSONata',
        ...distributedMap(location, { MaxConcurrency: 20, ...(location === PREFIX && { ItemBatcher }) }),
      }),
    },
    {
      storage,
      invoke: (_, payload) => {
        if (++calls % Math.floor(count / 11) === 0) {
          collectGarbage();
          const { heapUsed, arrayBuffers } = process.memoryUsage();
          // At the first moment, buffers that wrote the items may still be there.
          if (++moments > 1) peak = Math.max(peak, heapUsed + arrayBuffers);
        }
        return Promise.resolve({ payload, executedVersion: '1' });
      },
      invokeLater: () => Promise.resolve(),
    },
  );
  expect(await machine.start({}).result).toMatchObject({ status: 'SUCCEEDED' });
  expect([calls, moments]).toEqual([count, 11]);
  return peak;
}

test.each(['i.jsonl', 'i.json', 'i.parquet', PREFIX])(
  '1,000 and 10,000 children for %s take about as much memory',
  async (location) => {
    // Loads and compiles everything.
    await peakOf(location, 10_000);
    const [few, many] = [await peakOf(location, 1000), await peakOf(location, 10_000)];
    expect(many / few).toBeLessThanOrEqual(1.1);
    // The heap of the test itself is large, so the ratio alone would not show 100 bytes for each item.
    expect(many - few).toBeLessThan(900_000);
  },
);
