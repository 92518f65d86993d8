/** The states of a batch: the distributed map, the states of its children, and the table. */
import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { RAMP_CHILDREN_PER_SECOND } from '../cost/batch-limits';
import { MAX_RUN_TENSORS } from '../plan/schedule/state-tensor-limits';
import { inAnyMachine } from '../aws/workflow/fragment';
import { CALL_RETRIES, InvokeFunction, type TaskFunction } from '../aws/workflow/invoke-function';
import type { PipelineStates } from '../aws/workflow/states';
import { FRAGMENT_RUN, pipelineWorkflow } from '../aws/workflow/workflow';
import { BatchMap, locationExpression, type BatchPlaces } from './distributed-map';
import type { BatchSizes } from './batch-props';

export interface BatchStates {
  readonly places: BatchPlaces;
  readonly sizes: BatchSizes;
  readonly pipeline: PipelineStates;
  readonly fn: TaskFunction;
}

/** Of the outputs of all items of a child, in characters of JSON: a state holds 256 KiB. */
const MAX_OUTPUT_CHARACTERS = 128 * 1024;

const [REQUEST, RUN, RESULT] = ['itemRequest', 'itemRun', 'itemResult'];

export function batchStates(scope: Construct, props: BatchStates): sfn.IChainable {
  const map = new BatchMap(scope, 'Items', props.places, props.sizes);
  // Without a configuration: CDK requires a type of execution in it, and then warns that it ignores it.
  map.itemProcessor(childStates(scope, props));
  const table = call(scope, 'Table', props, {
    payload: {
      table: {
        execution: '{% $states.context.Execution.Name %}',
        location: `{% ${locationExpression(props.places.items)} %}`,
        manifest: '{% $states.input.ResultWriterDetails.Key %}',
      },
    },
    outputs: '{% $states.result.Payload %}',
  });
  return map.next(table);
}

function childStates(scope: Construct, props: BatchStates): sfn.IChainable {
  const { itemsPerRun, maxConcurrency } = props.sizes;
  const child = `$floor($states.input.Items[0].index / ${itemsPerRun})`;
  const ramp = sfn.Wait.jsonata(scope, 'Ramp', {
    // The others start when one of the first ends.
    time: sfn.WaitTime.seconds(
      `{% ${child} < ${maxConcurrency} ? $floor(${child} / ${RAMP_CHILDREN_PER_SECOND}) : 0 %}`,
    ),
  });
  const prepare = call(scope, 'Prepare', props, {
    payload: { prepare: '{% $states.input %}' },
    assign: {
      attempt: '{% $states.input.BatchInput.attempt %}',
      rows: '{% $states.result.Payload.rows %}',
      runs: '{% $states.result.Payload.runs %}',
      outcomes: [],
    },
    outputs: {},
  });
  const finish = call(scope, 'Finish', props, {
    payload: { finish: { rows: '{% $rows %}', runs: '{% $outcomes %}', attempt: '{% $attempt %}' } },
    outputs: '{% $states.result.Payload %}',
  });
  const runs = sfn.Map.jsonata(scope, 'Runs', {
    items: sfn.ProvideItems.jsonata('{% $runs %}'),
    maxConcurrency: 1,
    assign: { outcomes: '{% $states.result %}' },
    outputs: {},
  });
  runs.itemProcessor(itemStates(scope, props));
  return sfn.Chain.start(ramp).next(prepare).next(runs).next(finish);
}

/** The states of the pipeline for one run. A failure becomes a part of the output, so that the other items of the child still run. */
function itemStates(scope: Construct, props: BatchStates): sfn.IChainable {
  const { pipeline } = props;
  const enter = sfn.Pass.jsonata(scope, 'Request', {
    assign: {
      [REQUEST]: '{% $states.input.request %}',
      [RUN]: `{% ${FRAGMENT_RUN} %}`,
      [RESULT]: '{% $states.input.resultKey %}',
    },
    outputs: {},
  });
  const states = pipelineWorkflow(scope, {
    ...inAnyMachine(pipeline),
    warmsUp: false,
    expressions: { request: `$${REQUEST}`, run: `$${RUN}`, resultKey: `$${RESULT}` },
    prefix: '',
    maxVariables: MAX_RUN_TENSORS,
    grantsCalls: false,
    redrivable: false,
    outputOfPostprocess: outputOfPostprocess(props.sizes.itemsPerRun),
  });
  const run = sfn.Parallel.jsonata(scope, 'Run', { outputs: outcome(pipeline.postprocess !== undefined) });
  run.branch(enter.next(states));
  const failed = sfn.Pass.jsonata(scope, 'Run failed');
  run.addCatch(failed, {
    errors: [sfn.Errors.ALL],
    // Those of slices have 1,000 characters. A function of the user may quote its input, and a state has room for all items.
    outputs: `{% {'item': $states.input.item, 'failure': {'Error': $states.errorOutput.Error, 'Cause': $substring($states.errorOutput.Cause, 0, ${Math.floor(MAX_OUTPUT_CHARACTERS / 2 / props.sizes.itemsPerRun)})}} %}`,
  });
  return run;
}

/** One expression, because JSONata leaves a field without a value out of an object. */
function outcome(hasPostprocess: boolean): string {
  const used = '$round(memoryMb * (loadMs + readMs + runMs + writeMs))';
  return `{% ($run := $states.result[0]; {
    'item': $states.input.item,
    ${hasPostprocess ? "'output': $run.output," : "'s3': $run.outputs.s3,"}
    'ms': $millis() - $toMillis($states.context.State.EnteredTime),
    'mbMs': [$run.timings.${used}],
    'isWhole': $run.servedBy = 'whole',
    'processors': [$distinct($run.timings.processor)]
  }) %}`.replaceAll(/\n\s*/g, ' ');
}

function outputOfPostprocess(itemsPerRun: number): string {
  const most = Math.floor(MAX_OUTPUT_CHARACTERS / itemsPerRun);
  const advice = `the postprocess function must answer at most ${most} characters of JSON in a batch with ${itemsPerRun} items in a run: write more to S3, or lower itemsPerRun`;
  return `{% ($output := $states.result.Payload; $length($string($output)) <= ${most} ? {
    'output': $output, 'timings': $states.input.timings, 'servedBy': $states.input.servedBy
  } : $error(${JSON.stringify(advice)})) %}`.replaceAll(/\n\s*/g, ' ');
}

function call(
  scope: Construct,
  id: string,
  { fn }: BatchStates,
  rest: {
    readonly payload: Record<string, unknown>;
    readonly assign?: Record<string, unknown>;
    readonly outputs: unknown;
  },
): InvokeFunction {
  const task = new InvokeFunction(scope, id, { fn, grantsCall: false, timeout: CALL_TIMEOUT, ...rest });
  for (const retry of CALL_RETRIES) task.addRetry(retry);
  return task;
}

/** Longer than Lambda lets a function run. */
const CALL_TIMEOUT = Duration.seconds(960);
