import { Slicing, WarmUp } from '../../lib';
import { pipelineStack } from './pipeline-stack';
import { type StateMachineDefinition, unassignedVariables } from './unassigned-variables';

test("a variable of a pipeline's state machine that is read before it is assigned is found", () => {
  const { resource } = pipelineStack({ slicing: Slicing.count(3), warmUp: WarmUp.NEVER });
  const { DefinitionString } = resource('Pipeline/StateMachine');
  const { StartAt, States } = JSON.parse(DefinitionString as string) as StateMachineDefinition;
  const { Assign, ...without } = States['Slice 00'];
  expect(Assign).toBeDefined();
  const broken = { ...States, 'Slice 00': without };
  expect(unassignedVariables({ StartAt, States: broken })).toEqual([
    'Slice 01: tensors0',
    'Slice 02: timing0',
  ]);
});
