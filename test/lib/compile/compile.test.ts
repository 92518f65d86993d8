/** Properties of every cut of every model: random graphs are cut and run in ONNX Runtime. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as fc from 'fast-check';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { analyzeModel } from '../../../lib/compile/analyze';
import { compileAnalyzed } from '../../../lib/compile/compile';
import { writeSlices } from '../../../lib/emit/write';
import type { SourceRange } from '../../../lib/onnx/model';
import { parseModel } from '../../../lib/onnx/parse';
import { mostSlices } from '../../support/most-slices';
import { fromRuns } from '../../../lib/plan/file/plan';
import { count } from '../../../lib/plan/slicers';
import { analyzeFast } from '../../support/inference/fast-analysis';
import { saveModel, temporaryFolder } from '../../support/model-builder';
import { randomModel } from '../../support/random-graph';
import { expectSameBits, runSlices, runWhole } from '../../support/run-slices';
import { float32 } from '../../support/tensors';
import { cases } from '../../support/full-checks';

analyzeFast();

const RUNS = cases(10, 50);

/** A model, and its number of slices as a fraction of the largest possible number. */
const cutModel = fc.record({ init: randomModel, share: fc.double({ min: 0, max: 1, noNaN: true }) });

function cut({ init, share }: { init: Parameters<typeof saveModel>[0]; share: number }) {
  const file = saveModel(init);
  const analyzed = analyzeModel(file);
  const slices = 1 + Math.floor(share * (mostSlices(analyzed.cuts) - 1));
  return { file, analyzed, compiled: compileAnalyzed(analyzed, count(slices)), slices };
}

const inputs = new Map<string, RawTensor>([
  ['x', float32([1, 8])],
  ['late', float32([1, 8], [9, 8, 7, 6, 5, 4, 3, 2])],
  ['flag', { dtype: 'bool', shape: [], bytes: new Uint8Array([1]) }],
]);

type Cut = ReturnType<typeof cut>;

test.each<[string, (sample: Cut) => void | Promise<void>]>([
  ['assigns each node to one slice, which reads only from the request and earlier ones', expectOnce],
  ['moves no more bytes with repeated nodes than without', expectFewBytes],
  ['copies the bytes of each node verbatim', expectVerbatim],
  ['computes the same bits as the whole model', expectSameResults],
])('every cut %s', async (_, check) => {
  await fc.assert(
    fc.asyncProperty(cutModel, async (sample) => {
      await check(cut(sample));
    }),
    { numRuns: RUNS },
  );
});

test('every cut makes the same plan each time', () => {
  fc.assert(
    fc.property(cutModel, (sample) => {
      expect(cut(sample).compiled.plan).toEqual(cut(sample).compiled.plan);
    }),
    { numRuns: cases(4, 20) },
  );
});

function expectOnce({ analyzed, compiled: { plan }, slices }: Cut): void {
  expect(plan.slices).toHaveLength(slices);
  const nodes = plan.slices.flatMap((slice) => fromRuns(slice.nodes)).sort((a, b) => a - b);
  const orders = [analyzed.dataflow, analyzed.cuts.dataflow].map(({ order }) =>
    [...order].sort((a, b) => a - b),
  );
  expect(orders).toContainEqual(nodes);
  plan.slices.forEach((slice, index) => {
    for (const { name, source } of slice.inputs) {
      if (source.from === 'request') {
        expect(inputs.has(name)).toBe(true);
        continue;
      }
      expect(source.slice).toBeLessThan(index);
      expect(plan.slices[source.slice].outputs.map((output) => output.name)).toContain(name);
    }
  });
}

function expectFewBytes({ analyzed, compiled, slices }: Cut): void {
  const plain = { ...analyzed, cuts: analyzed.cuts.withoutRepeats ?? analyzed.cuts };
  const moved = ({ plan }: typeof compiled): number =>
    plan.slices.reduce((sum, { readBytes, writeBytes }) => sum + readBytes + writeBytes, 0);
  expect(moved(compiled)).toBeLessThanOrEqual(moved(compileAnalyzed(plain, count(slices))));
}

function expectVerbatim({ file, analyzed, compiled }: Cut): void {
  const original = fs.readFileSync(file);
  const folder = path.join(temporaryFolder(), 'slices');
  writeSlices(compiled, folder);
  compiled.plan.slices.forEach((slice) => {
    const bytes = fs.readFileSync(path.join(folder, slice.model.file));
    for (const node of fromRuns(slice.nodes)) {
      const { offset, length } = analyzed.model.graph.nodes[node].field as SourceRange;
      expect(bytes.includes(original.subarray(offset, offset + length))).toBe(true);
    }
    // A slice is itself a model that this library can read.
    expect(parseModel(path.join(folder, slice.model.file)).graph.outputs.length).toBeGreaterThan(0);
  });
}

async function expectSameResults({ file, compiled }: Cut): Promise<void> {
  expectSameBits(await runSlices(compiled, inputs), await runWhole(file, inputs));
}
