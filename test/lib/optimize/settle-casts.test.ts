/** ONNX Runtime drops casts that it inserted itself when it loads a saved graph; renamed casts stay. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { parseModel } from '../../../lib/onnx/parse';
import { settleCasts } from '../../../lib/optimize/optimize-child';
import { nodesOf } from '../../support/graph-text';
import { modelOf, saveModel, temporaryFolder } from '../../support/model-builder';

process.env.SLICED_INFERENCE_CACHE = temporaryFolder();

const INSERTED = 'InsertedPrecisionFreeCast_';
const SETTLED = 'SettledPrecisionFreeCast__';
/** Bytes that `settleCasts` searches at a time. */
const WINDOW_BYTES = 4 * 1024 * 1024;

/**
 * `Tanh` has no float16 kernel on a CPU, so ONNX Runtime inserts casts around it. In a saved graph it drops the inserted
 * cast before `Tanh` together with the cast of the model before that, and then `Tanh` gets values that are not rounded.
 */
const float16Model = modelOf(
  nodesOf('Cast x > h to=10; Cast h > f to=1; Cast f > g to=10; Tanh g > t; Cast t > y to=1'),
  { x: [1, 8] },
);

/** The graph as ONNX Runtime saves it, before any renaming. */
async function savedGraph(): Promise<string> {
  const file = path.join(temporaryFolder(), 'saved.onnx');
  const session = await InferenceSession.create(saveModel(float16Model), {
    graphOptimizationLevel: 'disabled',
    optimizedModelFilePath: file,
  });
  await session.release();
  return file;
}

test('settleCasts renames the nodes of a saved graph and changes no other byte', async () => {
  const file = await savedGraph();
  const before = { bytes: fs.readFileSync(file), graph: parseModel(file).graph };
  settleCasts(file);
  const after = { bytes: fs.readFileSync(file), graph: parseModel(file).graph };
  const names = ({ graph }: typeof before): string[] => graph.nodes.map(({ name }) => name);
  expect(names(before).filter((name) => name.startsWith(INSERTED))).not.toEqual([]);
  expect(names(after)).toEqual(names(before).map((name) => name.replace(INSERTED, SETTLED)));
  const values = after.graph.values.map(({ name }) => name);
  expect(values.some((name) => name.startsWith(INSERTED))).toBe(true);
  expect(values).toEqual(before.graph.values.map(({ name }) => name));
  const restored = after.bytes.toString('latin1').replaceAll(SETTLED, INSERTED);
  expect(restored === before.bytes.toString('latin1')).toBe(true);
});

test.each([-40, -20, -3, -2, -1, 0, 1])(
  'settleCasts renames a node %d bytes from the end of a window',
  (distance) => {
    const file = path.join(temporaryFolder(), 'saved.onnx');
    const name = `${INSERTED}g`;
    const field = Buffer.concat([Buffer.of(0x1a, name.length), Buffer.from(name)]);
    fs.writeFileSync(file, Buffer.concat([Buffer.alloc(WINDOW_BYTES + distance), field]));
    settleCasts(file);
    expect(fs.readFileSync(file).toString('latin1', WINDOW_BYTES + distance + 2)).toBe(`${SETTLED}g`);
  },
);
