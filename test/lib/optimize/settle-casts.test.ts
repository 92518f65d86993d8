/** ONNX Runtime drops casts that it inserted itself when it loads a saved graph; renamed casts stay. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { analyzeModel } from '../../../lib/compile/analyze';
import { compileAnalyzed } from '../../../lib/compile/compile';
import { parseModel } from '../../../lib/onnx/parse';
import { OPTIMIZATION_LEVELS } from '../../../lib/optimize/level';
import { settleCasts } from '../../../lib/optimize/optimize-child';
import { mostSlices } from '../../../lib/plan/cuts/cuts';
import { count } from '../../../lib/plan/slicers';
import {
  FLOAT,
  FLOAT16,
  attribute,
  modelOf,
  node,
  saveModel,
  temporaryFolder,
} from '../../support/model-builder';
import { expectSameBits, runSlices, runWhole } from '../../support/run-slices';
import { float32 } from '../../support/tensors';

process.env.SLICED_INFERENCE_CACHE = temporaryFolder();

const INSERTED = 'InsertedPrecisionFreeCast_';
const SETTLED = 'SettledPrecisionFreeCast__';
/** Bytes that `settleCasts` searches at a time. */
const WINDOW_BYTES = 4 * 1024 * 1024;

/**
 * `Tanh` has no float16 kernel on a CPU, so ONNX Runtime inserts casts around it. In a saved graph it drops the inserted
 * cast before `Tanh` together with the cast of the model before that, and then `Tanh` gets values that are not rounded.
 */
const cast = (input: string, output: string, to: number) =>
  node('Cast', [input], [output], [attribute.int('to', to)]);
const float16Model = modelOf(
  [
    cast('x', 'h', FLOAT16),
    cast('h', 'f', FLOAT),
    cast('f', 'g', FLOAT16),
    node('Tanh', ['g'], ['t']),
    cast('t', 'y', FLOAT),
  ],
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

describe('settleCasts', () => {
  test.each(OPTIMIZATION_LEVELS)(
    'makes slices compute the bits of the whole model at %s',
    async (optimization) => {
      const file = saveModel(float16Model);
      const feeds = new Map([['x', float32([1, 8], [0.1, -2.3, 3.3, 1e-4, -0.7, 11.1, 0.9999, -1e-3])]]);
      const whole = await runWhole(file, feeds, optimization);
      const analyzed = analyzeModel(file, { optimization });
      for (const slices of [1, mostSlices(analyzed.cuts)])
        expectSameBits(await runSlices(compileAnalyzed(analyzed, count(slices)), feeds), whole);
    },
  );

  test('renames the nodes of a saved graph and changes no other byte', async () => {
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

  test.each([-40, -20, -3, -2, -1, 0, 1])('renames a node %d bytes from the end of a window', (distance) => {
    const file = path.join(temporaryFolder(), 'saved.onnx');
    const name = `${INSERTED}g`;
    const field = Buffer.concat([Buffer.of(0x1a, name.length), Buffer.from(name)]);
    fs.writeFileSync(file, Buffer.concat([Buffer.alloc(WINDOW_BYTES + distance), field]));
    settleCasts(file);
    expect(fs.readFileSync(file).toString('latin1', WINDOW_BYTES + distance + 2)).toBe(`${SETTLED}g`);
  });
});
