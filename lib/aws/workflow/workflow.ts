/** The state machine of a pipeline. The query language is JSONata. */
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { scheduleSlices, withWarmUps } from '../../plan/schedule/schedule';
import { stateTensorLimits } from '../../plan/schedule/state-tensor-limits';
import { StateTensors } from './state-tensors';
import { type RunExpressions, type WorkflowProps, WorkflowBuilder } from './states';
import { smallestWarmUp, startingInParallel } from './whole-model';

/** The last two segments of the execution's ARN: state machine and name for Standard, name and UUID for Express. */
const EXECUTION = "$join($split($states.context.Execution.Id, ':')[[-2..-1]], '/')";

/**
 * The name of a Standard execution is free again 90 days after it ended, and results may be kept for longer. Its start
 * distinguishes it, and stays the same if the execution is redriven:
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
 */
const STANDARD_EXECUTION = `${EXECUTION} & '/' & $toMillis($states.context.Execution.StartTime)`;

export function ownExecution(type: sfn.StateMachineType): RunExpressions {
  return {
    run: type === sfn.StateMachineType.EXPRESS ? EXECUTION : STANDARD_EXECUTION,
    request: '$states.context.Execution.Input',
  };
}

/** A run of a fragment. An execution may enter the fragment several times, in a loop or in branches. */
export const FRAGMENT_RUN = `${EXECUTION} & '/' & $uuid()`;

/**
 * Lambda answers `null` for a function that returns nothing or never settles. Without this check, the first slice would blame the caller of
 * the execution.
 */
const REQUEST_OF_PREPROCESS =
  "{% $type($states.result.Payload) = 'object' ? $states.result.Payload : " +
  "$error('the preprocess function must return a request, got ' & $type($states.result.Payload) & ': await its work, and return an object') %}";

export function pipelineWorkflow(scope: Construct, props: WorkflowProps): sfn.Chain {
  const { preprocess, postprocess, expressions, prefix } = props;
  const variable = `${prefix}request`;
  const request = preprocess ? `$${variable}` : expressions.request;
  const inOrder = scheduleSlices(props.plan);
  const stages = props.warmsUp ? withWarmUps(inOrder) : inOrder;
  const schedule = props.whole ? startingInParallel(stages) : stages;
  const limits = props.tensorsInState
    ? stateTensorLimits(props.plan, schedule, props.maxVariables)
    : new Map<number, number>();
  const builder = new WorkflowBuilder(
    scope,
    { ...props, expressions: { ...expressions, request } },
    new StateTensors(props.plan, limits),
    props.whole && smallestWarmUp(schedule, props.plan),
  );
  const ends = builder.inference(schedule);
  const start =
    preprocess &&
    builder.userStep('preprocess', preprocess, `{% ${expressions.request} %}`, {
      assign: { [variable]: REQUEST_OF_PREPROCESS },
      outputs: {},
    });
  const chain = start ? start.next(ends) : ends;
  if (!postprocess) return chain;
  return chain.next(
    builder.userStep('postprocess', postprocess, '{% $states.input %}', {
      outputs: '{% $states.result.Payload %}',
    }),
  );
}
