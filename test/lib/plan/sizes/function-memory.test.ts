import { innerTensors } from '../../../../lib/plan/sizes/function-memory';

test('a local function needs memory for the inner tensors that live at one time', () => {
  const use = { domain: '', opType: 'Add', overload: '', seeded: false, inputCount: 2 };
  const inner = (inputs: string[], output: string) => ({ use, inputs, outputs: [output] });
  const fn = {
    domain: 'local',
    name: 'Three',
    overload: '',
    inputs: ['x'],
    outputs: ['y'],
    nodes: [inner(['x', 'x'], 'a'), inner(['a', 'x'], 'b'), inner(['a', 'b'], 'c'), inner(['c', 'x'], 'y')],
    operators: [use],
    opsets: [],
    heldBytes: 0,
    field: { file: 0, offset: 0, length: 0 },
  };
  expect(innerTensors(fn)).toBe(3);
});
