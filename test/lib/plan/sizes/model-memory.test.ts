import { modelMemory, usesFrom } from '../../../../lib/plan/sizes/model-memory';
import { type ModelInit, FLOAT, node, value } from '../../../support/model-builder';
import { sizedModel } from '../../../support/model-sizes';

const MIB = 2 ** 20;

/** a, b and c in a chain; y adds a and c, and c is an output too. */
const model: ModelInit = {
  graph: {
    node: [
      node('Exp', ['x'], ['a']),
      node('Exp', ['a'], ['b']),
      node('Exp', ['b'], ['c']),
      node('Add', ['a', 'c'], ['y']),
    ],
    input: [value('x', FLOAT, ['n'])],
    output: [value('y', FLOAT), value('c', FLOAT)],
  },
};
const sized = sizedModel(model, { x: MIB, a: MIB, b: MIB, c: MIB, y: MIB });
const memory = modelMemory(sized.dataflow, sized.bytes, sized);

function usesOf(start: number): Record<string, number> {
  const uses = usesFrom(memory, start);
  return Object.fromEntries(['x', 'a', 'b', 'c', 'y'].map((name) => [name, uses[sized.valueOf(name)]]));
}

describe('the memory of a model', () => {
  it('counts one use for each node and one for each result', () => {
    expect(usesOf(0)).toEqual({ x: 1, a: 2, b: 1, c: 2, y: 1 });
  });

  it('does not count uses before the beginning of a slice', () => {
    expect(usesOf(2)).toEqual({ x: 0, a: 1, b: 1, c: 2, y: 1 });
    expect(usesOf(4)).toEqual({ x: 0, a: 0, b: 0, c: 1, y: 1 });
  });

  it('knows which tensor takes over the memory of another one', () => {
    const heirOf = (name: string): number => memory.heirs[sized.valueOf(name)];
    // b ends when c is there, so y takes its place; a and c still live.
    expect(heirOf('b')).toBe(sized.valueOf('y'));
    expect([heirOf('a'), heirOf('c'), heirOf('y')]).toEqual([-1, -1, -1]);
  });
});
