import * as fs from 'node:fs';
import * as path from 'node:path';
import { Lazy, Size } from 'aws-cdk-lib';
import { SlicedModel, Slicing } from '../../../lib';
import { analyzeModel } from '../../../lib/compile/analyze';
import { bestCut } from '../../../lib/plan/best-cut';
import { compileAnalyzed } from '../../../lib/compile/compile';
import { MLP_PATH, errorOf } from '../../support/pipeline-stack';
import { mlp, saveModel, temporaryFolder } from '../../support/model-builder';
import { sparseModel } from '../../support/sparse-model';
import { writtenPlan } from '../../support/written-plan';

/** Four layers of the nodes MatMul, Add and Tanh, with 1 KiB of weights each. The tensors t0 to t2 are between layers. */
const analyzed = analyzeModel(MLP_PATH, { dimensions: { batch: 1 } });

/** Returns the number of nodes in each slice. */
function nodeCounts(slicing: Slicing): number[] {
  const { plan } = compileAnalyzed(analyzed, slicing._slicer());
  return plan.slices.map(({ nodes }) => nodes.reduce((sum, [first, last]) => sum + last - first + 1, 0));
}

const refusal = (make: () => Slicing): string => errorOf(() => nodeCounts(make()));

function writePlan(slicing: Slicing, model = analyzed): string {
  return writtenPlan(compileAnalyzed(model, slicing._slicer())).file;
}

describe('Slicing.automatic', () => {
  test('makes one slice if the model fits one function', () => {
    expect(nodeCounts(Slicing.automatic())).toEqual([12]);
  });

  test('makes as few slices as the memory limit allows', () => {
    const { dataflow, cuts } = analyzeModel(sparseModel(3));
    const slices = (maxMemorySize: number): number =>
      bestCut(dataflow, cuts, Slicing.automatic({ maxMemorySize })._slicer()).groups.length;
    expect([10_240, 1_088, 832].map(slices)).toEqual([1, 1, 2]);
  });

  test.each([10_241, 512.5, Number.NaN])('refuses a maxMemorySize of %d MB', (maxMemorySize) => {
    expect(refusal(() => Slicing.automatic({ maxMemorySize }))).toBe(
      `maxMemorySize must be a whole number of MB from 512 to 10240, got ${maxMemorySize}: ` +
        'use at most the memory that your account allows for one function',
    );
  });

  test('refuses less memory than a function of a slice has, and says so', () => {
    expect(refusal(() => Slicing.automatic({ maxMemorySize: 511 }))).toBe(
      'maxMemorySize must be a whole number of MB from 512 to 10240, got 511: ' +
        'a function of a slice has 512 MB at least, because Node.js takes seconds to start with less',
    );
  });
});

describe('Slicing.count', () => {
  test('makes that many slices of about the same memory', () => {
    expect(nodeCounts(Slicing.count(1))).toEqual([12]);
    expect(nodeCounts(Slicing.count(4))).toHaveLength(4);
    expect(nodeCounts(Slicing.count(12))).toEqual(Array.from({ length: 12 }, () => 1));
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses %d', (slices) => {
    expect(refusal(() => Slicing.count(slices))).toBe(
      `the number of slices must be a whole number of 1 or more, got ${slices}: pass a positive whole number`,
    );
  });

  test('refuses more slices than nodes, and gives the limit', () => {
    expect(refusal(() => Slicing.count(13))).toBe(
      'the model can be cut into at most 12 slices, got 13 slices for its 12 nodes: use fewer slices',
    );
  });
});

describe('Slicing.maxSliceSize', () => {
  test('makes as few slices as the size limit allows', () => {
    expect(nodeCounts(Slicing.maxSliceSize(Size.mebibytes(1)))).toHaveLength(1);
    expect(nodeCounts(Slicing.maxSliceSize(Size.bytes(2304)))).toHaveLength(2);
  });

  test('refuses a size of 0 bytes', () => {
    expect(refusal(() => Slicing.maxSliceSize(Size.bytes(0)))).toBe(
      'the size of a slice must be a whole number of bytes above 0, got 0: pass a size such as 64 MiB',
    );
  });

  test('refuses a size that no cut can meet, and names the node', () => {
    expect(refusal(() => Slicing.maxSliceSize(Size.bytes(1000)))).toBe(
      "each slice must have at most 1000 bytes of weights, got 1024 bytes for node 'MatMul_m0' (MatMul): raise the slice size to 1024 bytes or more",
    );
  });
});

describe('Slicing.atTensors', () => {
  test('cuts after each tensor, in any order of their names', () => {
    expect(nodeCounts(Slicing.atTensors(['t0']))).toEqual([3, 9]);
    expect(nodeCounts(Slicing.atTensors(['t2', 't0']))).toEqual([3, 6, 3]);
  });

  test('refuses an empty list', () => {
    expect(refusal(() => Slicing.atTensors([]))).toBe(
      'the list of tensors to cut at must have one tensor or more, got none: name a tensor, or request one slice',
    );
  });

  test.each([
    ['nothing', "'nothing', which the model does not have"],
    ['x', "'x', which is an input, constant or unused"],
    ['w0', "'w0', which is an input, constant or unused"],
  ])('refuses the tensor %s, which no node computes', (name, got) => {
    expect(refusal(() => Slicing.atTensors([name]))).toBe(
      `a tensor to cut at must be computed by a node from the model's inputs, got ${got}: ` +
        'list names with `sliced-inference inspect --json`',
    );
  });

  test.each([
    ["the model's output", ['y'], 'y'],
    ['the same tensor twice', ['t1', 't1'], 't1'],
  ])('refuses %s, because one side would have no nodes', (_, names, name) => {
    expect(refusal(() => Slicing.atTensors(names))).toBe(
      `a cut at '${name}' must leave nodes on both sides, got none on one side: leave that tensor out`,
    );
  });
});

describe('Slicing.fromPlan', () => {
  test('makes the same slices as the plan', () => {
    const slicing = Slicing.atTensors(['t0', 't2']);
    expect(nodeCounts(Slicing.fromPlan(writePlan(slicing)))).toEqual(nodeCounts(slicing));
  });

  test('does not read the plan before the model is cut', () => {
    expect(() => Slicing.fromPlan('/nowhere/plan.json')).not.toThrow();
  });

  test('refuses a missing file', () => {
    expect(refusal(() => Slicing.fromPlan('/nowhere/plan.json'))).toBe(
      "plan '/nowhere/plan.json' must be a readable file, got no such file or folder: check the path",
    );
  });

  test('refuses a file that is not a plan', () => {
    const file = path.join(temporaryFolder(), 'plan.json');
    for (const content of ['{}', '[]', 'null']) {
      fs.writeFileSync(file, content);
      expect(refusal(() => Slicing.fromPlan(file))).toBe(
        `plan '${file}' must be a plan.json of version 1, got other content: make one with \`sliced-inference slice\``,
      );
    }
  });

  test('refuses the plan of another graph', () => {
    const file = writePlan(Slicing.count(1), analyzeModel(saveModel(mlp(2)), { dimensions: { batch: 1 } }));
    expect(refusal(() => Slicing.fromPlan(file))).toBe(
      `plan '${file}' must be made from the same graph as the model, got a plan of 6 nodes for a model of 12 nodes: ` +
        'make a new plan with `sliced-inference slice` and the same graph optimization',
    );
  });

  test('refuses the plan of another graph with as many nodes', () => {
    const { graph } = mlp(4);
    const nodes = graph.node.map((node) => (node.opType === 'Tanh' ? { ...node, opType: 'Sigmoid' } : node));
    const other = analyzeModel(saveModel({ graph: { ...graph, node: nodes } }), { dimensions: { batch: 1 } });
    const file = writePlan(Slicing.count(1), other);
    expect(refusal(() => Slicing.fromPlan(file))).toBe(
      `plan '${file}' must be made from the same graph as the model, got a plan of other operators or names: ` +
        'make a new plan with `sliced-inference slice` and the same graph optimization',
    );
  });

  test('refuses a plan that leaves nodes out', () => {
    const file = writePlan(Slicing.count(3));
    const plan = JSON.parse(fs.readFileSync(file, 'utf8')) as { slices: { nodes: number[][] }[] };
    plan.slices[0].nodes = plan.slices[0].nodes.slice(0, 1).map(([first]) => [first, first]);
    fs.writeFileSync(file, JSON.stringify(plan));
    expect(refusal(() => Slicing.fromPlan(file))).toMatch(
      /^the slices must contain each of the 11 nodes that run in one slice only, exactly once, got \d+ nodes: make a new plan for this model$/,
    );
  });
});

test.each<[string, () => unknown]>([
  ['the number of slices', () => Slicing.count(Lazy.number({ produce: () => 2 }))],
  ['maxMemorySize', () => Slicing.automatic({ maxMemorySize: Lazy.number({ produce: () => 512 }) })],
  ['the size of a slice', () => Slicing.maxSliceSize(Size.mebibytes(Lazy.number({ produce: () => 1 })))],
  ['the names of tensors', () => Slicing.atTensors(Lazy.list({ produce: () => ['h'] }))],
  ['the path of a plan', () => Slicing.fromPlan(Lazy.string({ produce: () => 'plan.json' }))],
  ['the folder of a sliced model', () => SlicedModel.fromDirectory(Lazy.string({ produce: () => 'slices' }))],
])('%s must be known at synth time', (what, make) => {
  expect(make).toThrow(`${what} must be known at synth time, got a CDK token: pass the value itself`);
});
