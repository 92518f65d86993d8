import { parseModel } from '../../../lib/onnx/parse';
import { sizeHints } from '../../../lib/shapes/size-hints';
import { readFreshFilesAtOnce } from '../../support/inference/fast-analysis';
import { FLOAT, floats, node, saveModel, value } from '../../support/model-builder';

readFreshFilesAtOnce();

function hints(properties: Readonly<Record<string, string>>, table = 'w') {
  const model = {
    graph: {
      node: [node('Add', ['x', table], ['y'])],
      initializer: [floats(table, [6, 4])],
      input: [value('x', FLOAT, [6, 4])],
      output: [value('y', FLOAT)],
    },
    metadataProps: Object.entries(properties).map(([key, each]) => ({ key, value: each })),
  };
  return sizeHints(parseModel(saveModel(model)));
}

describe('hints about sizes', () => {
  test.each([
    [{ imgsz: '[384, 640]' }, { picture: [384, 640] }],
    [{ imgsz: '416' }, { picture: [416, 416] }],
    [{ input_size: '224x192' }, { picture: [224, 192] }],
    [
      { batch: '4', stride: '32', sample_rate: '8000' },
      { batch: 4, sampleRate: 8000 },
    ],
    [{ MAX_LENGTH: '77' }, { maxSequence: 77 }],
  ])('are read from metadata such as %j', (properties, found) => {
    expect(hints(properties)).toEqual(found);
  });

  test('are not read from other texts', () => {
    expect(hints({ imgsz: 'large', batch: '0', sample_rate: '-1', max_length: '9'.repeat(300) })).toEqual({});
  });

  test('include the number of rows of a table of positions', () => {
    expect(hints({}, 'bert.position_embeddings.weight')).toEqual({ maxSequence: 6 });
    expect(hints({ max_length: '5' }, 'bert.position_embeddings.weight')).toEqual({ maxSequence: 5 });
  });
});
