/** Random models whose tensors and weights differ by factors of a thousand, for tests that compare plans. */
import * as fc from 'fast-check';
import { graphOf } from './graph-text';
import { FLOAT, value } from './model-builder';
import { saveSparse } from './sparse-model';

/** From tensors that travel in the state of an execution to large ones, and from weights of a KiB to 256 MiB. */
const WIDTHS = [16, 256, 1024, 2048, 4096, 8192, 8192];

interface Layer {
  readonly width: number;
  /** Which earlier values it reads. The first of them is often the one before it. */
  readonly reads: readonly number[];
  readonly isResult: boolean;
}

const layer: fc.Arbitrary<Layer> = fc.record({
  width: fc.constantFrom(...WIDTHS),
  reads: fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(4)), {
    minLength: 1,
    maxLength: 2,
  }),
  isResult: fc.integer({ min: 0, max: 9 }).map((number) => number === 0),
});

/** Layers of a product each, with skip connections, branches and early results. Saves the model and returns its path. */
export const randomWideModel: fc.Arbitrary<() => string> = fc
  .record({
    rows: fc.constantFrom(1, 2, 4, 16, 64),
    width: fc.constantFrom(...WIDTHS),
    layers: fc.array(layer, { minLength: 4, maxLength: 7 }),
  })
  .map(
    ({ rows, width, layers }) =>
      () =>
        saveLayers(rows, width, layers),
  );

function saveLayers(rows: number, width: number, layers: readonly Layer[]): string {
  const nodes: string[] = [];
  const weights = new Map<string, readonly number[]>();
  const results = new Set<string>();
  const values = [{ name: 'x', width }];
  const unread = new Set<string>();
  layers.forEach((each, index) => {
    const read = [...new Set(each.reads.map((back) => values[Math.max(0, values.length - 1 - back)]))];
    for (const { name } of read) unread.delete(name);
    const rowWidth = read.reduce((sum, own) => sum + own.width, 0);
    const joined = read.length === 1 ? read[0].name : `joined${index}`;
    if (read.length > 1) nodes.push(`Concat ${read.map(({ name }) => name).join(' ')} > ${joined} axis=1`);
    weights.set(`w${index}`, [rowWidth, each.width]);
    nodes.push(`MatMul ${joined} w${index} > t${index}`);
    values.push({ name: `t${index}`, width: each.width });
    unread.add(`t${index}`);
    if (each.isResult) results.add(`t${index}`);
  });
  for (const name of unread) results.add(name);
  const graph = graphOf(nodes.join('; '), {
    input: [value('x', FLOAT, [rows, width])],
    output: [...results].map((name) => value(name, FLOAT)),
  });
  return saveSparse(graph, weights);
}
