/** A pipeline as a fragment of the user's state machine, whose query language is JSONPath or JSONata. */
import { hash } from 'node:crypto';
import { Stack } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { SlicedInferenceError, quoted } from '../../errors';
import { MAX_FRAGMENT_TENSORS } from '../../plan/schedule/state-tensor-limits';
import { MAX_EXPRESS_ASK_SECONDS } from './whole-model';
import type { PipelineStates } from './states';
import { FRAGMENT_RUN, pipelineWorkflow } from './workflow';

/**
 * Names of states and variables may have 80 characters. A pipeline's own names have fewer than 40:
 * https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html.
 */
const MAX_ID = 40;

/** A fragment always has a cause of its own, because the user's state machine may catch it. */
const IN_MACHINE_OF_USER = {
  grantsCalls: true,
  redrivable: false,
  maxVariables: MAX_FRAGMENT_TENSORS,
};

/** The states of a pipeline. Their input is the request, and their output is that of an execution of the pipeline. */
export class PipelineFragment extends sfn.StateMachineFragment {
  public readonly startState: sfn.State;
  public readonly endStates: sfn.INextable[];

  public constructor(scope: Construct, id: string, props: PipelineStates) {
    super(scope, id);
    checkPlace(scope, id, props);
    const prefix = variablePrefix(id);
    const [request, run] = [`${prefix}input`, `${prefix}run`];
    const enter = sfn.Pass.jsonata(this, 'Request', {
      assign: { [request]: '{% $states.input %}', [run]: `{% ${FRAGMENT_RUN} %}` },
      outputs: {},
    });
    const expressions = { request: `$${request}`, run: `$${run}` };
    const chain = enter.next(
      pipelineWorkflow(this, { ...inAnyMachine(props), expressions, prefix, ...IN_MACHINE_OF_USER }),
    );
    this.startState = chain.startState;
    this.endStates = chain.endStates;
    // State names must be unique in a state machine, and every pipeline has a slice 00.
    this.prefixStates(`${id}: `);
  }

  /**
   * Does not prefix the state names by default, unlike other fragments: they already have a prefix. CDK drops `outputs` of `addCatch` unless
   * the options have `queryLanguage: sfn.QueryLanguage.JSONATA`, although the state machine uses JSONata.
   */
  public override toSingleState(options: sfn.SingleStateOptions = {}): sfn.Parallel {
    const { stateId = this.node.id, prefixStates, ...parallel } = options;
    if (prefixStates !== undefined) this.prefixStates(prefixStates);
    return new sfn.Parallel(this, stateId, parallel).branch(this);
  }
}

/** The user's machine may be an Express one. */
function inAnyMachine({ whole, ...states }: PipelineStates): PipelineStates {
  if (whole === undefined) return states;
  const askSeconds = Math.min(whole.askSeconds, MAX_EXPRESS_ASK_SECONDS);
  return { ...states, whole: { ...whole, askSeconds } };
}

function checkPlace(scope: Construct, id: string, { functions }: PipelineStates): void {
  if (id.length > MAX_ID) {
    throw new SlicedInferenceError(
      `the id of a fragment must have at most ${MAX_ID} characters`,
      `${id.length}`,
      'shorten it, because the names of states start with it',
    );
  }
  const [own, theirs] = [Stack.of(scope), Stack.of(functions[0].target)].map(deployedWith);
  if (own === theirs) return;
  throw new SlicedInferenceError(
    'a fragment must be in the stack of its pipeline',
    quoted(own.node.path),
    "start the pipeline's stateMachine from yours instead, because an export to another stack blocks updates of function versions",
  );
}

/** Returns the top-level stack: nested stacks are deployed with their parent. */
function deployedWith(stack: Stack): Stack {
  return stack.nestedStackParent ? deployedWith(stack.nestedStackParent) : stack;
}

/** Variables of a state machine share one namespace. */
function variablePrefix(id: string): string {
  const name = id.replaceAll(/\W/g, '_').replace(/^(?![a-z])/i, 'sliced');
  if (name === id) return `${name}_`;
  // Other ids may become the same name, so add a digest of the id.
  return `${name}_${hash('sha256', id).slice(0, 8)}_`;
}
