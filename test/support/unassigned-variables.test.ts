import { Slicing, WarmUp } from '../../lib';
import { pipelineStack } from './pipeline-stack';
import { type StateMachineDefinition, readVariables, unassignedVariables } from './unassigned-variables';

describe('readVariables', () => {
  test.each([
    ['plain text', []],
    ['{% $states.input.x %}', []],
    ['{% $a + $b.c %}', ['a', 'b']],
    ["{% $join($parts, '/') %}", ['parts']],
    ['{% ($local := $outer; $local + 1) %}', ['outer']],
    ['{% ($f := function($x) { $x + $y }; $f(1)) %}', ['y']],
    [{ deep: [{ text: '{% [$one, $two] %}' }] }, ['one', 'two']],
  ])('finds in %j the variables %j', (value, names) => {
    expect([...readVariables(value)]).toEqual(names);
  });
});

describe('unassignedVariables', () => {
  const pass = (fields: object): { Type: string } => ({ Type: 'Pass', ...fields });

  test('finds variables that some path to a state does not assign', () => {
    expect(
      unassignedVariables({
        StartAt: 'A',
        States: {
          A: pass({
            Type: 'Task',
            Assign: { made: 1 },
            Next: 'B',
            Catch: [{ Assign: { failure: 1 }, Next: 'C' }],
          }),
          B: pass({ Output: '{% $made %}', Next: 'C' }),
          C: pass({ Output: '{% [$made, $failure] %}' }),
        },
      }),
    ).toEqual(['C: made', 'C: failure']);
  });

  test('finds variables that a state reads and assigns at once', () => {
    expect(
      unassignedVariables({
        StartAt: 'A',
        States: { A: pass({ Assign: { x: 1 }, Output: '{% $x %}' }) },
      }),
    ).toEqual(['A: x']);
  });

  test('knows that branches read outer variables, but assign none of them', () => {
    const branch = {
      StartAt: 'In',
      States: { In: pass({ Assign: { inner: '{% $outer %}' }, Output: '{% $late %}' }) },
    };
    expect(
      unassignedVariables({
        StartAt: 'A',
        States: {
          A: pass({ Assign: { outer: 1 }, Next: 'P' }),
          P: { Type: 'Parallel', Branches: [branch], Next: 'B' },
          B: pass({ Output: '{% $inner %}' }),
        },
      }),
    ).toEqual(['In: late', 'B: inner']);
  });

  test("finds a variable of a pipeline's state machine that is read before it is assigned", () => {
    const { resource } = pipelineStack({ slicing: Slicing.count(3), warmUp: WarmUp.NEVER });
    const { DefinitionString } = resource('Pipeline/StateMachine');
    const { StartAt, States } = JSON.parse(DefinitionString as string) as StateMachineDefinition;
    expect(unassignedVariables({ StartAt, States })).toEqual([]);
    const { Assign, ...without } = States['Slice 00'];
    expect(Assign).toBeDefined();
    const broken = { ...States, 'Slice 00': without };
    expect(unassignedVariables({ StartAt, States: broken })).toEqual([
      'Slice 01: tensors0',
      'Slice 02: timing0',
    ]);
  });
});
