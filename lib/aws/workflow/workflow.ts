/** The states that run the slices: in a row where they wait for each other, side by side where they do not. JSONata. */
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { sliceName } from '../../../contract/keys';
import { CONTRACT_VERSION } from '../../../contract/version';
import type { DeployedPlan } from '../deployed-plan';
import type { Schedule, Stage } from '../../plan/schedule/schedule';
import { scheduleSlices, slicesOf } from '../../plan/schedule/schedule';
import { withWarmUps } from '../../plan/schedule/warm-up';
import type { FailureVariables } from './failure';
import { failState } from './failure';
import type { CalledFunction } from './invoke-function';
import { InvokeFunction } from './invoke-function';
import { SANDBOX_RETRY, SERVICE_RETRY, SLEEPING_FUNCTION_RETRY, SLICE_RETRY } from './retries';

/** Expressions of JSONata that a workflow is placed with, without their `{%` and `%}`. */
export interface RunExpressions {
  /** Identifies the run: no two may have the same. */
  readonly run: string;
  /** The request. */
  readonly request: string;
}

/**
 * In an execution of its own the run is the last two segments of the execution's ARN. They are machine and name for
 * Standard, and name and UUID for Express, whose names alone may repeat.
 */
export const OWN_EXECUTION: RunExpressions = {
  run: "$join($split($states.context.Execution.Id, ':')[[-2..-1]], '/')",
  request: '$states.context.Execution.Input',
};

export interface WorkflowProps {
  readonly plan: DeployedPlan;
  /** By slice. */
  readonly functions: readonly CalledFunction[];
  /** Whether slices that do not start at once load meanwhile. */
  readonly warmsUp: boolean;
  /** Makes the request of the input. */
  readonly preprocess?: CalledFunction;
  /** Makes the output of what the last slice gives. */
  readonly postprocess?: CalledFunction;
  readonly expressions: RunExpressions;
  /** Stands before the names of variables, which must not be those of states around. */
  readonly prefix: string;
}

/** The states of a pipeline, from the request to the results. */
export function pipelineWorkflow(scope: Construct, props: WorkflowProps): sfn.Chain {
  const { preprocess, postprocess, expressions, prefix } = props;
  const made = `${prefix}request`;
  const request = preprocess ? `$${made}` : expressions.request;
  const builder = new WorkflowBuilder(scope, { ...props, expressions: { ...expressions, request } });
  const schedule = scheduleSlices(props.plan);
  const slices = builder.series(props.warmsUp ? withWarmUps(schedule) : schedule, MAIN, (timings) =>
    builder.executionOutput(timings),
  );
  const start =
    preprocess &&
    builder.ownStep('Preprocess', preprocess, `{% ${expressions.request} %}`, {
      assign: { [made]: '{% $states.result.Payload %}' },
      outputs: {},
    });
  const chain = start ? start.next(slices) : slices;
  if (!postprocess) return chain;
  return chain.next(
    builder.ownStep('Postprocess', postprocess, '{% $states.input %}', {
      outputs: '{% $states.result.Payload %}',
    }),
  );
}

/** The name of the branch that the others part from. */
const MAIN = '';

/** Expressions for the timings of slices, by slice. */
type Timings = ReadonlyMap<number, string>;

/** What the last state of a series gives, from the timings of all slices of the series. */
type OutputOf = (timings: Timings) => Readonly<Record<string, unknown>>;

/** What a state leaves behind: variables, and its output. */
interface Leaving {
  readonly assign?: Readonly<Record<string, string>>;
  readonly outputs: unknown;
}

class WorkflowBuilder {
  /** By branch. */
  private readonly failStates = new Map<string, sfn.Fail>();

  constructor(
    private readonly scope: Construct,
    private readonly props: WorkflowProps,
  ) {}

  /** @param branch names the branch that the states are in: variables of branches must have names of their own */
  series(schedule: Schedule, branch: string, outputOf: OutputOf): sfn.Chain {
    const known = new Map<number, string>();
    const states = schedule.map((stage, index) => {
      const results = resultsOf(stage);
      if (index === schedule.length - 1)
        return this.state(stage, branch, { outputs: outputOf(new Map([...known, ...results])) });
      const assign: Record<string, string> = {};
      for (const [slice, expression] of results) {
        const variable = this.variable(`timing${slice}`, branch);
        assign[variable] = `{% ${expression} %}`;
        known.set(slice, `$${variable}`);
      }
      return this.state(stage, branch, { assign, outputs: {} });
    });
    const [first, ...rest] = states;
    return rest.reduce((chain, state) => chain.next(state), sfn.Chain.start(first));
  }

  executionOutput(timings: Timings): Record<string, unknown> {
    const { plan, expressions } = this.props;
    const inOrder = [...timings].sort(([a], [b]) => a - b).map(([, expression]) => expression);
    return {
      version: CONTRACT_VERSION,
      deploymentDigest: plan.deploymentDigest,
      run: `{% ${expressions.run} %}`,
      outputs: '{% $states.result.Payload.outputs %}',
      timings: `{% [${inOrder.join(', ')}] %}`,
    };
  }

  private state(stage: Stage, branch: string, leaving: Leaving): sfn.TaskStateBase | sfn.Parallel {
    switch (stage.kind) {
      case 'slice':
        return this.sliceTask(stage.slice, branch, leaving);
      case 'warm-up':
        return this.warmUpTask(stage.slice);
      case 'parallel':
        return this.parallel(stage.branches, branch, leaving);
    }
  }

  private sliceTask(slice: number, branch: string, leaving: Leaving): sfn.TaskStateBase {
    const { plan, functions, expressions } = this.props;
    const last = plan.slices.length - 1;
    const readsRequest = plan.slices[slice].inputs.some(({ source }) => source.from === 'request');
    const sendsRequest = slice === 0 || slice === last || readsRequest;
    const task = new InvokeFunction(this.scope, stateName(slice), {
      fn: functions[slice],
      payload: {
        ...this.event(),
        ...(sendsRequest && { request: `{% ${expressions.request} %}` }),
      },
      ...leaving,
    });
    for (const retry of [SERVICE_RETRY, SLEEPING_FUNCTION_RETRY, SANDBOX_RETRY, SLICE_RETRY])
      task.addRetry(retry);
    this.catchAll(task, branch, { slice });
    return task;
  }

  /** What goes wrong in it the slice's own call meets again, or not: it is none of the run's business. */
  private warmUpTask(slice: number): sfn.TaskStateBase {
    const task = new InvokeFunction(this.scope, `Warm-up ${number(slice)}`, {
      fn: this.props.functions[slice],
      payload: { ...this.event(), warmUp: true },
      outputs: {},
    });
    const failed = sfn.Pass.jsonata(this.scope, `Warm-up ${number(slice)} failed`, { outputs: {} });
    return task.addCatch(failed, { errors: [sfn.Errors.ALL] });
  }

  /** What every function is told. */
  private event(): Readonly<Record<string, unknown>> {
    return {
      version: CONTRACT_VERSION,
      deploymentDigest: this.props.plan.deploymentDigest,
      run: `{% ${this.props.expressions.run} %}`,
    };
  }

  /** A function of the user's, before or after the slices. */
  ownStep(name: string, fn: CalledFunction, payload: string, leaving: Leaving): sfn.TaskStateBase {
    const task = new InvokeFunction(this.scope, name, { fn, payload, ...leaving });
    for (const retry of [SERVICE_RETRY, SLEEPING_FUNCTION_RETRY, SANDBOX_RETRY]) task.addRetry(retry);
    this.catchAll(task, MAIN, { step: name.toLowerCase() });
    return task;
  }

  private catchAll(task: sfn.TaskStateBase, branch: string, where: object): void {
    const { failure, failedAt } = this.failureVariables(branch);
    task.addCatch(this.failed(branch), {
      errors: [sfn.Errors.ALL],
      assign: { [failure]: '{% $states.errorOutput %}', [failedAt]: where },
    });
  }

  /** A branch that fails ends the others and the run: a state inside says why, since none outside can be gone to. */
  private parallel(branches: readonly Schedule[], branch: string, leaving: Leaving): sfn.Parallel {
    const heads = branches.flatMap((schedule) => slicesOf(schedule).slice(0, 1)).map(number);
    const name = heads.length < branches.length ? 'Warm start' : 'Slices';
    const parallel = sfn.Parallel.jsonata(this.scope, `${name} ${listed(heads)}`, {
      ...(leaving.assign && { assign: leaving.assign }),
      outputs: leaving.outputs,
    });
    branches.forEach((schedule, index) => {
      const timingsOf: OutputOf = (timings) =>
        Object.fromEntries(
          [...timings].map(([slice, expression]) => [`timing${slice}`, `{% ${expression} %}`]),
        );
      parallel.branch(this.series(schedule, `${branch}In${heads.at(index) ?? ''}`, timingsOf));
    });
    return parallel;
  }

  private failed(branch: string): sfn.Fail {
    const known = this.failStates.get(branch);
    if (known) return known;
    const name = ['Failed', ...branch.split('In').slice(1)].join(' ');
    const state = failState(this.scope, name, this.failureVariables(branch));
    this.failStates.set(branch, state);
    return state;
  }

  private failureVariables(branch: string): FailureVariables {
    return { failure: this.variable('failure', branch), failedAt: this.variable('failedAt', branch) };
  }

  private variable(name: string, branch: string): string {
    return `${this.props.prefix}${name}${branch}`;
  }
}

/** Where the result of a stage has the timings of its slices. */
function resultsOf(stage: Stage): Timings {
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

/** Names of states may have 80 characters, in a fragment those of its id included. */
const MAX_LISTED = 3;

/** Different for every set of branches of a machine: one that holds another has more, or other last ones. */
function listed(heads: readonly string[]): string {
  if (heads.length <= MAX_LISTED) return heads.join(' + ');
  return `${heads[0]} to ${heads[heads.length - 1]} (${heads.length})`;
}

function stateName(slice: number): string {
  return `Slice ${number(slice)}`;
}

function number(slice: number): string {
  return sliceName(slice).replace('slice-', '');
}
