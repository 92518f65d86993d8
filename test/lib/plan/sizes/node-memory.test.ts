import { type ModelInit, FLOAT, int64s, node, value } from '../../../support/model-builder';
import { nodeMemory, repeatedProducers } from '../../../../lib/plan/sizes/node-memory';
import { sizedModel } from '../../../support/model-sizes';

/** A call of a function with two inner tensors that live at one time. */
function call(inputs: readonly string[]): ModelInit {
  return {
    graph: {
      node: [{ opType: 'Two', domain: 'local', input: inputs, output: ['y'] }],
      input: [value('x', FLOAT, ['n']), value('small', FLOAT, ['n'])],
      output: [value('y', FLOAT)],
    },
    opsetImport: [
      { domain: '', version: 17 },
      { domain: 'local', version: 1 },
    ],
    functions: [
      {
        name: 'Two',
        domain: 'local',
        input: ['x'],
        output: ['y'],
        opsetImport: [{ domain: '', version: 17 }],
        node: [node('Exp', ['x'], ['a']), node('Exp', ['a'], ['b']), node('Add', ['a', 'b'], ['y'])],
      },
    ],
  };
}

const chain: ModelInit = {
  graph: {
    node: [
      node('ConstantOfShape', ['shape'], ['w']),
      node('Exp', ['x'], ['a']),
      node('Add', ['a', 'w'], ['b']),
      node('Relu', ['b'], ['y']),
    ],
    initializer: [int64s('shape', [2])],
    input: [value('x', FLOAT, ['n'])],
    output: [value('y', FLOAT)],
  },
};

describe('the memory of nodes', () => {
  it('has the kind of the first output and the given temporary bytes of each node', () => {
    const sized = sizedModel(chain, {}, { Exp: 7 });
    const memory = nodeMemory(sized.dataflow, sized.bytes, sized);
    expect(memory.outputMemory).toEqual(['new', 'new', 'new', 'in place']);
    expect([...memory.scratch]).toEqual([0, 7, 0, 0]);
  });

  it('knows which repeated nodes each node needs, and which values those need', () => {
    const sized = sizedModel(chain, {});
    const { dataflow } = sized;
    const memory = nodeMemory(sized.dataflow, sized.bytes, sized);
    expect(memory.repeatedNeeds).toEqual([[], [], [0], []]);
    expect(memory.repeatedUsers[sized.valueOf('shape')]).toBe(1);
    expect(memory.repeatedUsers[sized.valueOf('w')]).toBe(0);
    expect(
      repeatedProducers(dataflow, [sized.valueOf('w'), sized.valueOf('w'), sized.valueOf('a'), -1]),
    ).toEqual([0]);
  });

  it('counts each inner tensor of a call as large as the largest outer one', () => {
    const sized = sizedModel(call(['small', 'x']), { x: 100, small: 3, y: 40 });
    expect(nodeMemory(sized.dataflow, sized.bytes, sized).scratch[0]).toBe(2 * 100);
  });

  it('is computed for a call with 200,000 inputs', () => {
    const inputs = Array.from({ length: 200_000 }, (_, index) => (index === 123_456 ? 'x' : 'small'));
    const sized = sizedModel(call(inputs), { x: 100, small: 3, y: 40 });
    expect(nodeMemory(sized.dataflow, sized.bytes, sized).scratch[0]).toBe(2 * 100);
  });
});
