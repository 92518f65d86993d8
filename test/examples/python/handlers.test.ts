/** The handlers in Python, with a pipeline in the local cloud between them. Skipped if Python has no numpy, safetensors and boto3. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { variables } from '../../../bin/local-cloud/variables';
import { elementsOf, type NumericTensor } from '../../../client';
import { Slicing } from '../../../lib';
import type { JsonObject, LocalCloud } from '../../../local';
import { start, succeeded, synthesize } from '../../support/deployed-pipeline';
import { mlp, saveModel, temporaryFolder } from '../../support/model-builder';
import { hasPackages, runPython } from '../../support/python';
import { casesOf, classesOf, EXAMPLE, resultsOf, type Results } from '../../support/python-cases';
import { runWhole } from '../../support/run-slices';
import { float32 } from '../../support/tensors';

const model = saveModel(mlp(4));
const CALL =
  'import json, sys, handlers; print(json.dumps(getattr(handlers, sys.argv[1])(json.load(open(sys.argv[2])), None)))';

let cloud: LocalCloud;

async function handled(name: string, event: unknown): Promise<JsonObject> {
  const env = { ...variables(cloud, {}), SLICED_INFERENCE_BUCKET: cloud.pipeline.bucket };
  const file = path.join(temporaryFolder(), 'event.json');
  fs.writeFileSync(file, JSON.stringify(event));
  const output = await runPython(['-c', CALL, name, file], { cwd: EXAMPLE, env });
  return JSON.parse(output) as JsonObject;
}

const hasPython = hasPackages('numpy', 'safetensors', 'boto3');

(hasPython ? describe : describe.skip)('the handlers in Python', () => {
  beforeAll(async () => {
    cloud = await start(synthesize(model, () => ({ slicing: Slicing.count(2), dimensions: { batch: 1 } })));
  });

  test.each([
    [2, 'tensors'],
    [5000, 's3'],
  ])('pass %i rows on as a request, and its results as JSON', async (rows, place) => {
    const values = Array.from({ length: rows }, (_, row) =>
      Array.from({ length: 16 }, (__, at) => (row % 7) - at / 8),
    );
    const request = await handled('preprocess', { values });
    expect(Object.keys(request.inputs as JsonObject)).toEqual([place]);
    const output = succeeded(await cloud.execute(request));
    const y = (await runWhole(model, new Map([['x', float32([rows, 16], values.flat())]]))).get(
      'y',
    ) as NumericTensor;
    const [, columns] = y.shape;
    const elements = elementsOf(y) as Float32Array;
    const best = Array.from({ length: rows }, (_, row) => {
      const scores = Array.from(elements.subarray(row * columns, (row + 1) * columns));
      return scores.indexOf(Math.max(...scores));
    });
    expect(await handled('postprocess', output)).toEqual({ best, run: output.run });
  });
});

const MODULE = 'handler_cases';

describe.each(classesOf(MODULE))('the handlers in Python without a pipeline, %s', (name) => {
  let results: Results;
  if (hasPython) {
    beforeAll(async () => {
      results = await resultsOf(MODULE, name);
    });
  }

  (hasPython ? it : it.skip).each(casesOf(MODULE, name))('%s', (_, found) => {
    expect(results).toHaveProperty([found], null);
  });
});
