/** Evenness, stability, and what an impossible target says. */
import { analyzeModel, type AnalyzedModel } from '../../../../lib/compile/analyze';
import { bestCut } from '../../../../lib/plan/best-cut';
import { type AutomaticOptions, automatic, count } from '../../../../lib/plan/slicers';
import { analyzeFast } from '../../../support/inference/fast-analysis';
import { FLOAT, floats, node, saveModel, value } from '../../../support/model-builder';

analyzeFast();

/** By layers and rows. */
const known = new Map<string, AnalyzedModel>();

/** A model of equal layers, each a MatMul, an Add and a Tanh, with as many rows of activations as given. */
function layered(layers: number, rows: number): AnalyzedModel {
  const key = `${layers} ${rows}`;
  const model = known.get(key) ?? newLayered(layers, rows);
  known.set(key, model);
  return model;
}

function newLayered(layers: number, rows: number): AnalyzedModel {
  const width = 32;
  const nodes = Array.from({ length: layers }, (_, layer) => [
    node('MatMul', [layer === 0 ? 'x' : `t${layer - 1}`, `w${layer}`], [`m${layer}`]),
    node('Add', [`m${layer}`, `b${layer}`], [`a${layer}`]),
    node('Tanh', [`a${layer}`], [layer === layers - 1 ? 'y' : `t${layer}`]),
  ]).flat();
  const initializer = Array.from({ length: layers }, (_, layer) => [
    floats(`w${layer}`, [width, width]),
    floats(`b${layer}`, [width]),
  ]).flat();
  const graph = {
    node: nodes,
    initializer,
    input: [value('x', FLOAT, [rows, width])],
    output: [value('y', FLOAT)],
  };
  return analyzeModel(saveModel({ graph }));
}

function nodeCounts({ cuts }: AnalyzedModel, slices: number): number[] {
  return count(slices)
    .choose(cuts)
    .groups.map((nodes) => nodes.length);
}

describe('count', () => {
  test.each([2, 3, 4, 6])('cuts 12 equal layers into %i equal slices', (slices) => {
    expect(nodeCounts(layered(12, 100), slices)).toEqual(Array<number>(slices).fill(36 / slices));
  });

  test.each([2, 3, 5, 7, 8])('keeps the cuts of %i slices when the size changes by up to 5 %%', (slices) => {
    const before = nodeCounts(layered(12, 400), slices);
    for (const rows of [380, 388, 396, 404, 412, 420])
      expect(nodeCounts(layered(12, rows), slices)).toEqual(before);
  });
});

describe('automatic', () => {
  const { dataflow, cuts } = layered(6, 100);
  const choose = (options: AutomaticOptions) => bestCut(dataflow, cuts, automatic(options));

  test('says what the fastest plan reaches if the latency is impossible', () => {
    expect(() => choose({ maxLatencyMs: 1 })).toThrow(
      /^a run must have a p95 latency of at most 1 ms, got \d+ ms for the fastest plan, one slice of \d+ MB: allow more time, or more memory for a function$/,
    );
  });

  test('says what the cheapest plan costs if the cost is impossible', () => {
    expect(() => choose({ maxCostPerMillion: 0.01 })).toThrow(
      /^a million runs must cost at most \$0\.01, got \$\d+\.\d\d for the cheapest plan, one slice of \d+ MB: allow a higher cost$/,
    );
  });

  test('says what is reached within the cost if only both limits together are impossible', () => {
    const fastest = choose({ minimize: 'latency' }).settings?.cost;
    const cheapest = choose({ minimize: 'cost' }).settings?.cost;
    if (fastest === undefined || cheapest === undefined) throw new Error('automatic chooses settings');
    const limits = {
      maxLatencyMs: fastest.latency.p95 * 0.9 + cheapest.latency.p95 * 0.1,
      maxCostPerMillion: cheapest.dollars * 1.0001e6,
    };
    expect(fastest.latency.p95).toBeLessThan(cheapest.latency.p95);
    expect(() => choose(limits)).toThrow(/ and cost at most \$\d+\.\d\d in a million runs, got \d+ ms /);
  });

  test('takes the cheapest plan within a latency that a plan can keep', () => {
    const cheapest = choose({ minimize: 'cost' }).settings?.cost;
    const settings = choose({ minimize: 'cost', maxLatencyMs: 60_000 }).settings;
    expect(settings?.cost).toEqual(cheapest);
    expect(settings?.temperature).toBe('mixed');
  });

  test('writes to S3 Express One Zone only if this transport may be chosen', () => {
    const transportOf = (options: AutomaticOptions) => choose(options).settings?.transport;
    expect(transportOf({})).toBe('s3-standard');
    expect(transportOf({ transport: 's3-express' })).toBe('s3-express');
  });

  test.each<[AutomaticOptions, string]>([
    [{ maxLatencyMs: 0 }, 'the latency in ms must be a number above 0, got 0'],
    [{ maxCostPerMillion: NaN }, 'the cost of a million runs must be a number above 0, got NaN'],
    [{ requestsPerHour: -1 }, 'the number of requests per hour must be a number above 0, got -1'],
  ])('refuses %j', (options, message) => {
    expect(() => automatic(options)).toThrow(message);
  });
});
