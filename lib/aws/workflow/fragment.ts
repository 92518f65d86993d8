/** A pipeline as a part of someone else's state machine, JSONPath or JSONata. */
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { WorkflowProps } from './workflow';
import { OWN_EXECUTION, pipelineWorkflow } from './workflow';

/** Names of variables may have 80 characters: https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html. */
const MAX_PREFIX = 40;

/** The states of a pipeline: their input is the request, their output that of an execution of the pipeline. */
export class PipelineFragment extends sfn.StateMachineFragment {
  public readonly startState: sfn.State;
  public readonly endStates: sfn.INextable[];

  public constructor(scope: Construct, id: string, props: Omit<WorkflowProps, 'expressions' | 'prefix'>) {
    super(scope, id);
    // Variables of a state machine share one space of names.
    const prefix = `${id
      .replaceAll(/\W/g, '_')
      .replace(/^(?![a-z])/i, 'sliced')
      .slice(0, MAX_PREFIX)}_`;
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
