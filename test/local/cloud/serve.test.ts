/** `serve` for tests of users: it takes and returns what the client does. */
import { serve, type ServedPipeline } from '../../../local';
import { pickyAboutColumns } from '../../support/command-models';
import { saveModel } from '../../support/model-builder';
import { synthesize } from '../../support/pipeline-assembly';

let model: ServedPipeline;

beforeAll(async () => {
  model = await serve(synthesize({ Test: { modelPath: saveModel(pickyAboutColumns(2)), slices: 2 } }));
});
afterAll(() => model.close());

test('it answers with typed arrays and timings', async () => {
  const { outputs, timings } = await model.infer({ x: [[1, 2]] });
  expect(outputs.y).toMatchObject({ dtype: 'float32', shape: [2, 2] });
  expect([...(outputs.y.data as Float32Array)].slice(0, 2)).toEqual([-1, -2]);
  expect(timings).toHaveLength(2);
});

test('it refuses inputs that do not fit, and throws what a slice reports', async () => {
  await expect(model.infer({ x: [1] })).rejects.toMatchObject({ name: 'InvalidInput', tensor: 'x' });
  await expect(model.infer({ x: [[1, 2, 3]] })).rejects.toMatchObject({ name: 'SliceFailed', slice: 0 });
});

test('it refuses calls after close', async () => {
  await model.close();
  await expect(model.infer({ x: [[1, 2]] })).rejects.toThrow(
    'must be open, got a closed one: call it before',
  );
});
