/** What a deployment adds and removes when the model of a stack changes. */
import { Template } from 'aws-cdk-lib/assertions';
import { Slicing } from '../../../lib';
import { mlp, saveModel } from '../../support/model-builder';
import { addPipeline, newStack } from '../../support/pipeline-stack';

interface Policy {
  readonly Type: string;
  readonly Properties: { readonly Roles: readonly object[]; readonly PolicyName?: string };
}

function resourcesOf(layers: number, slices: number): Readonly<Record<string, Policy>> {
  const stack = newStack();
  const modelPath = saveModel(mlp(layers));
  addPipeline(stack, 'Pipeline', { modelPath, dimensions: { batch: 1 }, slicing: Slicing.count(slices) });
  return (Template.fromStack(stack).toJSON() as { Resources: Record<string, Policy> }).Resources;
}

/** Logical ids of policies that contain the permissions of one model. */
function policiesOf(resources: Readonly<Record<string, Policy>>): string[] {
  return Object.entries(resources)
    .filter(([id, { Type }]) => /^AWS::IAM::(Managed)?Policy$/.test(Type) && /Policy|Calls/.test(id))
    .filter(([id]) => !/DefaultPolicy|SlicePolicy/.test(id))
    .map(([id]) => id);
}

describe('the policies of a pipeline', () => {
  const four = resourcesOf(4, 4);

  it('keep their logical ids if nothing changes', () => {
    expect(policiesOf(four)).toHaveLength(5);
    expect(policiesOf(resourcesOf(4, 4))).toEqual(policiesOf(four));
  });

  it('are added beside the earlier ones, under other names, if another model has fewer slices', () => {
    const two = resourcesOf(5, 2);
    expect(policiesOf(two).filter((id) => policiesOf(four).includes(id))).toEqual([]);
    // The roles are the same, so that both policies are attached while the deployment is in progress.
    const rolesOf = (resources: typeof four) =>
      new Set(policiesOf(resources).map((id) => JSON.stringify(resources[id].Properties.Roles)));
    expect([...rolesOf(two)].filter((role) => !rolesOf(four).has(role))).toEqual([]);
    const names = (resources: typeof four) =>
      policiesOf(resources).flatMap((id) => resources[id].Properties.PolicyName ?? []);
    expect(names(two)).toHaveLength(2);
    expect(names(two).filter((name) => names(four).includes(name))).toEqual([]);
  });

  it('are in place before the functions and the state machine change', () => {
    const dependenciesOf = (type: string): string[] =>
      Object.values(four).flatMap((resource) =>
        resource.Type === type ? ((resource as { DependsOn?: string[] }).DependsOn ?? []) : [],
      );
    const before = [
      ...dependenciesOf('AWS::Lambda::Function'),
      ...dependenciesOf('AWS::StepFunctions::StateMachine'),
    ];
    expect(policiesOf(four).filter((id) => !before.includes(id))).toEqual([]);
  });
});
