/**
 * The states of a run: slices that depend on each other run in series, the others in parallel. The query language is
 * JSONata.
 */
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { STEP_STATES } from '../../../contract/failures';
import { sliceName } from '../../../contract/keys';
import { CONTRACT_VERSION } from '../../../contract/version';
import type { DeployedPlan } from '../deployed-plan';
import type { Schedule, Stage } from '../../cost/schedule';
import { scheduleSlices, slicesOf, withWarmUps } from '../../plan/schedule/schedule';
import { stateTensorLimits } from '../../plan/schedule/state-tensor-limits';
import { boundedRequest, type TensorExpressions, StateTensors, NO_TENSORS } from './state-tensors';
import {
  type WholeModelStates,
  askWholeModel,
  loadWholeModel,
  smallestWarmUp,
  startingInParallel,
} from './whole-model';
import { type FailureVariables, failState, passedFailure } from './failure';
import { type TaskFunction, InvokeFunction, CALL_RETRIES, SLICE_RETRIES } from './invoke-function';

/** JSONata expressions of a run, without their `{%` and `%}`. */
interface RunExpressions {
  readonly run: string;
  readonly request: string;
}

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

/** What the states of a pipeline consist of, whatever state machine contains them. */
export interface PipelineStates {
  readonly plan: DeployedPlan;
  readonly functions: readonly TaskFunction[];
  readonly warmsUp: boolean;
  /** Whether small tensors travel in the state of the execution. Otherwise all are in S3. */
  readonly tensorsInState: boolean;
  readonly whole?: WholeModelStates;
  readonly preprocess?: TaskFunction;
  readonly postprocess?: TaskFunction;
}

interface WorkflowProps extends PipelineStates {
  readonly expressions: RunExpressions;
  readonly grantsCalls: boolean;
  /**
   * Whether a failed task fails the execution itself, so that a redrive runs the task again. Otherwise a state fails the
   * execution, with a cause that says where it failed.
   */
  readonly redrivable: boolean;
  /** Prefix of variable names, so that they differ from those of a state machine that contains the pipeline. */
  readonly prefix: string;
  readonly maxVariables: number;
}

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
  const ends = inferenceStates(builder, schedule, props);
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

/** The slices; with consolidation, the whole model and then them. */
function inferenceStates(builder: WorkflowBuilder, schedule: Schedule, { whole }: WorkflowProps): sfn.Chain {
  const slices = builder.series(schedule, MAIN, NO_TENSORS, (timings) => builder.executionOutput(timings));
  if (whole === undefined) return slices;
  const ask = builder.askWhole(whole, slices);
  return sfn.Chain.custom(ask, [ask, ...slices.endStates], ask);
}

const MAIN = '';

type Timings = ReadonlyMap<number, string>;

type OutputOf = (timings: Timings, tensors: TensorExpressions) => Readonly<Record<string, unknown>>;

interface StateResult {
  readonly assign?: Readonly<Record<string, string>>;
  readonly outputs: unknown;
}

class WorkflowBuilder {
  constructor(
    private readonly scope: Construct,
    private readonly props: WorkflowProps,
    private readonly stateTensors: StateTensors,
    /** With consolidation: the slice after whose warm-up the whole model loads. @default - beside the first stage */
    private readonly loadsAfter: number | undefined,
  ) {}

  /**
   * @param branch name of the branch that contains the states, which makes the names of its variables unique
   * @param outer variables of the branches around it that hold tensors
   */
  series(schedule: Schedule, branch: string, outer: TensorExpressions, outputOf: OutputOf): sfn.Chain {
    const assigned = new Map<number, string>();
    const tensors = new Map(outer);
    const [first, ...rest] = schedule.map((stage, index) => {
      const timings = stageTimings(stage);
      const handedOn = this.stateTensors.resultOf(stage);
      if (index === schedule.length - 1) {
        const outputs = outputOf(new Map([...assigned, ...timings]), new Map([...tensors, ...handedOn]));
        return this.state(stage, branch, tensors, { outputs });
      }
      const assign: Record<string, string> = {};
      const readable = new Map(tensors);
      for (const [slice, expression] of timings) {
        const variable = this.variable(`timing${slice}`, branch);
        assign[variable] = `{% ${expression} %}`;
        assigned.set(slice, `$${variable}`);
      }
      for (const [slice, expression] of handedOn) {
        const variable = this.variable(`tensors${slice}`, branch);
        assign[variable] = `{% ${expression} %}`;
        tensors.set(slice, `$${variable}`);
      }
      return this.state(stage, branch, readable, { assign, outputs: {} });
    });
    const { whole } = this.props;
    // Without warm-ups, the whole model loads beside the first slices.
    if (whole && branch === MAIN && this.loadsAfter === undefined && first instanceof sfn.Parallel)
      first.branch(this.loadWhole(whole));
    return rest.reduce((chain, state) => chain.next(state), sfn.Chain.start(first));
  }

  private loadWhole(whole: WholeModelStates): InvokeFunction {
    return loadWholeModel(this.scope, this.wholeCall(whole), this.askedAt);
  }

  private wholeCall(whole: WholeModelStates) {
    return { ...whole, grantsCall: this.props.grantsCalls, event: this.event() };
  }

  executionOutput(timings: Timings): Record<string, unknown> {
    const inOrder = [...timings].sort(([a], [b]) => a - b).map(([, expression]) => expression);
    return {
      ...this.identity(),
      ...(this.props.whole && { servedBy: 'slices' }),
      outputs: '{% $states.result.Payload.outputs %}',
      timings: `{% [${inOrder.join(', ')}] %}`,
    };
  }

  askWhole(whole: WholeModelStates, otherwise: sfn.IChainable): InvokeFunction {
    const variables = this.failureVariables(MAIN);
    return askWholeModel(this.scope, {
      ...{ ...this.wholeCall(whole), variables, otherwise, askedAt: this.askedAt },
      request: boundedRequest(this.props.expressions.request),
      output: this.identity(),
      // Tasks of a redrivable machine fail with Lambda's own cause, and so does this state.
      refused: this.props.redrivable ? passedFailure(this.scope, 'Failed', variables) : this.failed(MAIN),
    });
  }

  private identity(): Readonly<Record<string, unknown>> {
    return {
      version: CONTRACT_VERSION,
      deploymentDigest: this.props.plan.deploymentDigest,
      run: `{% ${this.props.expressions.run} %}`,
    };
  }

  private state(
    stage: Stage,
    branch: string,
    tensors: TensorExpressions,
    result: StateResult,
  ): sfn.TaskStateBase | sfn.Parallel {
    switch (stage.kind) {
      case 'slice':
        return this.sliceTask(stage.slice, branch, tensors, result);
      case 'warm-up':
        return this.warmUpTask(stage.slice);
      case 'parallel':
        return this.parallel(stage.branches, branch, tensors, result);
    }
  }

  private sliceTask(
    slice: number,
    branch: string,
    tensors: TensorExpressions,
    result: StateResult,
  ): sfn.TaskStateBase {
    const { request } = this.props.expressions;
    const sendsRequest = (other: number): boolean => this.sendsRequest(other);
    const payload = {
      ...this.event(),
      ...(sendsRequest(slice) && { request: boundedRequest(request) }),
      ...this.stateTensors.eventFields(slice, tensors, request, sendsRequest),
    };
    const task = this.call(`Slice ${number(slice)}`, this.props.functions[slice], payload, result);
    for (const retry of SLICE_RETRIES) task.addRetry(retry);
    this.catchAll(task, branch, { slice });
    return task;
  }

  private sendsRequest(slice: number): boolean {
    const { slices } = this.props.plan;
    const readsRequest = slices[slice].inputs.some(({ source }) => source.from === 'request');
    return slice === 0 || slice === slices.length - 1 || readsRequest;
  }

  /** Ignores failures of the warm-up. If the fault lasts, the slice's own call reports it. */
  private warmUpTask(slice: number): sfn.TaskStateBase {
    const payload = { ...this.event(), warmUp: true };
    const result = { outputs: {} };
    const task = this.call(`Warm-up ${number(slice)}`, this.props.functions[slice], payload, result);
    const failed = sfn.Pass.jsonata(this.scope, `Warm-up ${number(slice)} failed`, { outputs: {} });
    task.addCatch(failed, { errors: [sfn.Errors.ALL] });
    const { whole } = this.props;
    if (whole && slice === this.loadsAfter) {
      const load = this.loadWhole(whole);
      task.next(load);
      failed.next(load);
    }
    return task;
  }

  private event(): Readonly<Record<string, unknown>> {
    return { ...this.identity(), executionArn: '{% $states.context.Execution.Id %}' };
  }

  userStep(
    step: keyof typeof STEP_STATES,
    fn: TaskFunction,
    payload: string,
    result: StateResult,
  ): sfn.TaskStateBase {
    const task = this.call(STEP_STATES[step], fn, payload, result);
    for (const retry of CALL_RETRIES) task.addRetry(retry);
    this.catchAll(task, MAIN, { step });
    return task;
  }

  private call(
    id: string,
    fn: TaskFunction,
    payload: string | Readonly<Record<string, unknown>>,
    result: StateResult,
  ): InvokeFunction {
    return new InvokeFunction(this.scope, id, { fn, grantsCall: this.props.grantsCalls, payload, ...result });
  }

  private catchAll(task: sfn.TaskStateBase, branch: string, where: object): void {
    if (this.props.redrivable) return;
    const { failure, failedAt } = this.failureVariables(branch);
    task.addCatch(this.failed(branch), {
      errors: [sfn.Errors.ALL],
      assign: { [failure]: '{% $states.errorOutput %}', [failedAt]: where },
    });
  }

  /**
   * A branch that fails ends the other branches and the run. A branch cannot go to a state outside of it, so each
   * branch has its own state that fails the run with the reason.
   */
  private parallel(
    branches: readonly Schedule[],
    branch: string,
    tensors: TensorExpressions,
    result: StateResult,
  ): sfn.Parallel {
    const heads = branches.flatMap((schedule) => slicesOf(schedule).slice(0, 1)).map(number);
    const isStart = heads.length < branches.length || branches.length === 1;
    const name = isStart ? 'Warm start' : 'Slices';
    const parallel = sfn.Parallel.jsonata(this.scope, `${name} ${listed(heads)}`, {
      ...(result.assign && { assign: result.assign }),
      outputs: result.outputs,
    });
    branches.forEach((schedule, index) => {
      const outputOf: OutputOf = (timings, known) => ({
        ...Object.fromEntries(
          [...timings].map(([slice, expression]) => [`timing${slice}`, `{% ${expression} %}`]),
        ),
        ...this.stateTensors.branchOutput(schedule, known),
      });
      parallel.branch(this.series(schedule, `${branch}In${heads.at(index) ?? ''}`, tensors, outputOf));
    });
    return parallel;
  }

  private failed(branch: string): sfn.Fail {
    const name = ['Failed', ...branch.split('In').slice(1)].join(' ');
    const existing = this.scope.node.tryFindChild(name);
    if (existing instanceof sfn.Fail) return existing;
    const { preprocess, postprocess } = this.props;
    const hasSteps = branch === MAIN && (preprocess ?? postprocess) !== undefined;
    return failState(this.scope, name, this.failureVariables(branch), hasSteps);
  }

  private failureVariables(branch: string): FailureVariables {
    return { failure: this.variable('failure', branch), failedAt: this.variable('failedAt', branch) };
  }

  private get askedAt(): string {
    return this.variable('askedAt', MAIN);
  }

  private variable(name: string, branch: string): string {
    return `${this.props.prefix}${name}${branch}`;
  }
}

function stageTimings(stage: Stage): Timings {
  switch (stage.kind) {
    case 'slice':
      return new Map([[stage.slice, '$states.result.Payload.timing']]);
    case 'warm-up':
      return new Map();
    case 'parallel':
      return new Map(
        stage.branches.flatMap((branch, index) =>
          slicesOf(branch).map((slice) => [slice, `$states.result[${index}].timing${slice}`] as const),
        ),
      );
  }
}

/** State names may have 80 characters, and in a fragment they include its id. So a name lists only a few slices. */
const MAX_LISTED = 3;

/**
 * Returns a name that is unique among the parallel states of a state machine: of two nested parallel states, the outer
 * one has more branches or another last one.
 */
function listed(heads: readonly string[]): string {
  if (heads.length <= MAX_LISTED) return heads.join(' + ');
  return `${heads[0]} to ${heads[heads.length - 1]} (${heads.length})`;
}

function number(slice: number): string {
  return sliceName(slice).replace('slice-', '');
}
