/**
 * The states of a pipeline with consolidation: one that asks the function of the whole model, and one that tells it to load
 * beside the first slices. The load is asynchronous, so that no run waits for it and it outlasts the execution. The question has no
 * retries: the slices are its retry. A request that the whole model refuses fails the run, because the slices would refuse it too, after cold starts.
 */
import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { ERROR_NAMES } from '../../../contract/failures';
import type { PlannedSlice } from '../../plan/file/plan';
import type { Schedule } from '../../cost/schedule';
import { MAX_EXPRESS_MINUTES } from '../quotas';
import type { FailureVariables } from './failure';
import { type TaskFunction, InvokeFunction } from './invoke-function';

/** Half of the time of an Express execution, so that slices have the rest. */
export const MAX_EXPRESS_ASK_SECONDS = (MAX_EXPRESS_MINUTES * 60) / 2;

/** The function of the whole model, as the states call it. */
export interface WholeModelStates {
  readonly fn: TaskFunction;
  readonly askSeconds: number;
}

interface WholeModelCall extends WholeModelStates {
  readonly grantsCall: boolean;
  readonly event: Readonly<Record<string, unknown>>;
}

interface AskProps extends WholeModelCall {
  readonly request: string;
  readonly output: Readonly<Record<string, unknown>>;
  /** The slices, which run unless the function serves the run. */
  readonly otherwise: sfn.IChainable;
  /** Fails a run whose request the function refuses, because the slices would refuse the request too. */
  readonly refused: sfn.IChainable;
  readonly variables: FailureVariables;
  readonly askedAt: string;
}

const ANSWER = '$states.result.Payload';

/**
 * Asks the function to serve the run if it has loaded the model. A task has one next state, and a choice after it would cost
 * each warm run a transition. So the output of a cold answer is an error, which the task catches, as it catches all others but one:
 * a request that the function refuses fails the run here.
 */
export function askWholeModel(scope: Construct, props: AskProps): InvokeFunction {
  const { fn, askSeconds, grantsCall, event, request, output, variables } = props;
  const cold = `${ANSWER}.cold ? $error('the whole model is cold, so the slices run')`;
  const task = new InvokeFunction(scope, 'Ask whole model', {
    fn,
    grantsCall,
    timeout: Duration.seconds(askSeconds),
    payload: { ...event, ifWarm: true, request },
    outputs: {
      ...output,
      servedBy: 'whole',
      outputs: `{% ${cold} : ${ANSWER}.outputs %}`,
      timings: `{% [${ANSWER}.timing] %}`,
    },
  });
  task.addCatch(props.refused, {
    errors: [ERROR_NAMES.invalidInput],
    assign: {
      [variables.failure]: '{% $states.errorOutput %}',
      // The whole model is one slice.
      [variables.failedAt]: { slice: 0 },
    },
  });
  task.addCatch(props.otherwise, {
    errors: [sfn.Errors.ALL],
    outputs: {},
    assign: { [props.askedAt]: '{% $toMillis($states.context.State.EnteredTime) %}' },
  });
  return task;
}

/**
 * Queues a call in which the function loads the model for later runs. A failure does not concern this run.
 * @param askedAt the variable with the time of the question
 */
export function loadWholeModel(scope: Construct, props: WholeModelCall, askedAt: string): InvokeFunction {
  const { fn, grantsCall, event } = props;
  const task = new InvokeFunction(scope, 'Load whole model', {
    fn,
    grantsCall,
    isAsynchronous: true,
    payload: { ...event, load: true, askedAt: `{% $${askedAt} %}` },
    outputs: {},
  });
  const failed = sfn.Pass.jsonata(scope, 'Load whole model failed', { outputs: {} });
  task.addCatch(failed, { errors: [sfn.Errors.ALL] });
  return task;
}

/**
 * The slice after whose warm-up the whole model loads: the smallest of them, which is warm first. Then a cold run never needs more
 * concurrent calls than it has slices, and most slices load before the whole model does.
 * @returns `undefined` if no slice warms up beside the first stage
 */
export function smallestWarmUp(
  [first]: Schedule,
  { slices }: { readonly slices: readonly Pick<PlannedSlice, 'model' | 'weights'>[] },
): number | undefined {
  const branches = first.kind === 'parallel' ? first.branches : [];
  const warmUps = branches.flatMap(([stage]) => (stage.kind === 'warm-up' ? [stage.slice] : []));
  const bytes = (slice: number): number => slices[slice].model.bytes + (slices[slice].weights?.bytes ?? 0);
  return warmUps.sort((a, b) => bytes(a) - bytes(b)).at(0);
}

/** The same schedule, whose first stage has branches, so that the load can be one more of them. */
export function startingInParallel([first, ...later]: Schedule): Schedule {
  return [first.kind === 'parallel' ? first : { kind: 'parallel', branches: [[first]] }, ...later];
}
