/** A pipeline as a part of someone else's state machine, JSONPath or JSONata. */
import { createHash } from 'node:crypto';
import { Stack } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { SlicedInferenceError, quoted } from '../../errors';
import type { WorkflowProps } from './workflow';
import { OWN_EXECUTION, pipelineWorkflow } from './workflow';

/**
 * Names of states and variables may have 80 characters, and the longest of a pipeline's own has less than 40:
 * https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html.
 */
const MAX_ID = 40;

/** The states of a pipeline: their input is the request, their output that of an execution of the pipeline. */
export class PipelineFragment extends sfn.StateMachineFragment {
  public readonly startState: sfn.State;
  public readonly endStates: sfn.INextable[];

  public constructor(scope: Construct, id: string, props: Omit<WorkflowProps, 'expressions' | 'prefix'>) {
    super(scope, id);
    checkPlace(scope, id, props);
    const prefix = variablePrefix(id);
    const [request, run] = [`${prefix}input`, `${prefix}run`];
    const enter = sfn.Pass.jsonata(this, 'Request', {
      // An execution may come here several times, in a loop or in branches: each time is a run of its own.
      assign: { [request]: '{% $states.input %}', [run]: `{% ${OWN_EXECUTION.run} & '/' & $uuid() %}` },
      outputs: {},
    });
    const expressions = { request: `$${request}`, run: `$${run}` };
    const chain = enter.next(pipelineWorkflow(this, { ...props, expressions, prefix }));
    this.startState = chain.startState;
    this.endStates = chain.endStates;
    // Names of states are unique in a machine, and every pipeline has a slice 00.
    this.prefixStates(`${id}: `);
  }

  /** As that of every fragment, but that the names of the states are unique already. */
  public override toSingleState(options: sfn.SingleStateOptions = {}): sfn.Parallel {
    const { stateId = this.node.id, prefixStates, ...parallel } = options;
    if (prefixStates !== undefined) this.prefixStates(prefixStates);
    return new sfn.Parallel(this, stateId, parallel).branch(this);
  }
}

function checkPlace(
  scope: Construct,
  id: string,
  { functions }: Omit<WorkflowProps, 'expressions' | 'prefix'>,
): void {
  if (id.length > MAX_ID) {
    throw new SlicedInferenceError(
      `the id of a fragment must have at most ${MAX_ID} characters`,
      `${id.length}`,
      'shorten it, since it stands before the names of states',
    );
  }
  const [own, theirs] = [Stack.of(scope), Stack.of(functions[0].target)].map(deployedWith);
  if (own === theirs) return;
  throw new SlicedInferenceError(
    'a fragment must be in the stack of its pipeline',
    quoted(own.node.path),
    "start the pipeline's stateMachine from yours instead, for another stack would hold versions of functions fast",
  );
}

/** Nested stacks are deployed with the one around them. */
function deployedWith(stack: Stack): Stack {
  return stack.nestedStackParent ? deployedWith(stack.nestedStackParent) : stack;
}

/** Variables of a state machine share one space of names. */
function variablePrefix(id: string): string {
  const name = id.replaceAll(/\W/g, '_').replace(/^(?![a-z])/i, 'sliced');
  if (name === id) return `${name}_`;
  // Other ids may read the same now.
  return `${name}_${createHash('sha256').update(id).digest('hex').slice(0, 8)}_`;
}
