/** The states of a run: slices that depend on each other run in series, the others in parallel. */
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { STEP_STATES } from '../../../contract/failures';
import { sliceName } from '../../../contract/keys';
import { CONTRACT_VERSION } from '../../../contract/version';
import type { DeployedPlan } from '../deployed-plan';
import type { Schedule, Stage } from '../../cost/schedule';
import { slicesOf } from '../../plan/schedule/schedule';
import { boundedRequest, type Found, type StateTensors } from './state-tensors';
import { type WholeModelStates, askWholeModel, loadWholeModel } from './whole-model';
import { type FailureVariables, failState, passedFailure } from './failure';
import { type TaskFunction, InvokeFunction, CALL_RETRIES, SLICE_RETRIES } from './invoke-function';

/** JSONata expressions of a run, without their `{%` and `%}`. */
export interface RunExpressions {
  readonly run: string;
  readonly request: string;
}

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

export interface WorkflowProps extends PipelineStates {
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

/** Name of the branch that contains all others. */
const MAIN = '';

interface StateResult {
  readonly assign?: Readonly<Record<string, string>>;
  readonly outputs: unknown;
}

export class WorkflowBuilder {
  constructor(
    private readonly scope: Construct,
    private readonly props: WorkflowProps,
    private readonly stateTensors: StateTensors,
    /** With consolidation: the slice after whose warm-up the whole model loads. @default - beside the first stage */
    private readonly loadsAfter: number | undefined,
  ) {}

  /** The slices; with consolidation, the whole model and then them. */
  inference(schedule: Schedule): sfn.Chain {
    const slices = this.series(schedule, MAIN, new Map(), (found) => this.executionOutput(found));
    const { whole } = this.props;
    if (whole === undefined) return slices;
    const ask = this.askWhole(whole, slices);
    return sfn.Chain.custom(ask, [ask, ...slices.endStates], ask);
  }

  /**
   * @param branch name of the branch that contains the states, which makes the names of its variables unique
   * @param outer what the states around the branch found
   * @param outputOf the output of the last state, which is that of the series
   */
  private series(
    schedule: Schedule,
    branch: string,
    outer: Found,
    outputOf: (found: Found) => Readonly<Record<string, unknown>>,
  ): sfn.Chain {
    const found = new Map(outer);
    const [first, ...rest] = schedule.map((stage, index) => {
      const own = this.foundBy(stage);
      const before = new Map(found);
      if (index === schedule.length - 1)
        return this.state(stage, branch, before, { outputs: outputOf(new Map([...found, ...own])) });
      const assign: Record<string, string> = {};
      for (const [name, expression] of own) {
        const variable = this.variable(name, branch);
        assign[variable] = `{% ${expression} %}`;
        found.set(name, `$${variable}`);
      }
      return this.state(stage, branch, before, { assign, outputs: {} });
    });
    const { whole } = this.props;
    // Without warm-ups, the whole model loads beside the first slices.
    if (whole && branch === MAIN && this.loadsAfter === undefined && first instanceof sfn.Parallel)
      first.branch(this.loadWhole(whole));
    return rest.reduce((chain, state) => chain.next(state), sfn.Chain.start(first));
  }

  /** The times first, then the tensors. */
  private foundBy(stage: Stage): Found {
    if (stage.kind !== 'parallel') {
      const { timings, tensors } = this.stateTensors.foundBy([stage]);
      return new Map([
        ...timings.map((name) => [name, '$states.result.Payload.timing'] as const),
        ...tensors.map((name) => [name, '$states.result.Payload.tensors'] as const),
      ]);
    }
    const branches = stage.branches.map((branch, index) => {
      const { timings, tensors } = this.stateTensors.foundBy(branch);
      const inResult = (name: string) => [name, `$states.result[${index}].${name}`] as const;
      return { timings: timings.map(inResult), tensors: tensors.map(inResult) };
    });
    return new Map([
      ...branches.flatMap(({ timings }) => timings),
      ...branches.flatMap(({ tensors }) => tensors),
    ]);
  }

  private loadWhole(whole: WholeModelStates): InvokeFunction {
    return loadWholeModel(this.scope, this.wholeCall(whole), this.askedAt);
  }

  private wholeCall(whole: WholeModelStates) {
    return { ...whole, grantsCall: this.props.grantsCalls, event: this.event() };
  }

  private executionOutput(found: Found): Record<string, unknown> {
    const timings = this.props.plan.slices.map((_, slice) => found.get(`timing${slice}`));
    return {
      ...this.identity(),
      ...(this.props.whole && { servedBy: 'slices' }),
      outputs: '{% $states.result.Payload.outputs %}',
      timings: `{% [${timings.join(', ')}] %}`,
    };
  }

  private askWhole(whole: WholeModelStates, otherwise: sfn.IChainable): InvokeFunction {
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
    found: Found,
    result: StateResult,
  ): sfn.TaskStateBase | sfn.Parallel {
    switch (stage.kind) {
      case 'slice':
        return this.sliceTask(stage.slice, branch, found, result);
      case 'warm-up':
        return this.warmUpTask(stage.slice);
      case 'parallel':
        return this.parallel(stage.branches, branch, found, result);
    }
  }

  private sliceTask(slice: number, branch: string, found: Found, result: StateResult): sfn.TaskStateBase {
    const { request } = this.props.expressions;
    const sendsRequest = (other: number): boolean => this.sendsRequest(other);
    const payload = {
      ...this.event(),
      ...(sendsRequest(slice) && { request: boundedRequest(request) }),
      ...this.stateTensors.eventFields(slice, found, request, sendsRequest),
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
    found: Found,
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
      const { timings, tensors } = this.stateTensors.foundBy(schedule);
      const outputOf = (inside: Found) =>
        Object.fromEntries([...timings, ...tensors].map((name) => [name, `{% ${inside.get(name)} %}`]));
      parallel.branch(this.series(schedule, `${branch}In${heads.at(index) ?? ''}`, found, outputOf));
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
