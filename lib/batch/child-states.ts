/**
 * The states of a child of the distributed map. It takes its items through the pipeline as one pack: each slice is called once, and
 * computes the items one after the other. A pack whose function dies is halved, and what a function did not reach waits for a further pack.
 */
import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { BatchItemsSignature } from '../../contract/batch';
import { CONTRACT_VERSION } from '../../contract/version';
import { RAMP_CHILDREN_PER_SECOND } from '../cost/batch-limits';
import {
  CALL_RETRIES,
  InvokeFunction,
  PACK_RETRIES,
  type TaskFunction,
} from '../aws/workflow/invoke-function';
import type { PipelineStates } from '../aws/workflow/states';
import { loadWholeModel, type WholeModelStates } from '../aws/workflow/whole-model';
import { FRAGMENT_RUN } from '../aws/workflow/workflow';
import type { BatchSizes } from './batch-props';
import * as expressions from './expressions';

export interface ChildStates {
  readonly sizes: BatchSizes;
  readonly pipeline: PipelineStates;
  /** The function of the batch. */
  readonly fn: TaskFunction;
  readonly items: BatchItemsSignature;
  /** Name of the pipeline's bucket. */
  readonly bucket: string;
}

interface StateResult {
  readonly assign?: Readonly<Record<string, unknown>>;
  readonly outputs?: unknown;
}

/** Validators of definitions refuse an empty string. */
const EMPTY = "{% '' %}";

/** Of a call of the batch's function: longer than Lambda lets it run. */
const CALL_TIMEOUT = Duration.seconds(960);

export function childStates(scope: Construct, props: ChildStates): sfn.IChainable {
  return new ChildBuilder(scope, props).build();
}

/** Calls the batch's function. */
export function callBatch(
  scope: Construct,
  id: string,
  fn: TaskFunction,
  payload: Record<string, unknown>,
  result: StateResult,
): InvokeFunction {
  const own = { fn, grantsCall: false, timeout: CALL_TIMEOUT, payload, outputs: {}, ...result };
  return new InvokeFunction(scope, id, own);
}

class ChildBuilder {
  /** Where a failed call goes. */
  private readonly split: sfn.Pass;
  /** Where a pack goes that has ended. */
  private readonly next: sfn.Choice;

  constructor(
    private readonly scope: Construct,
    private readonly props: ChildStates,
  ) {
    this.split = this.pass('Split', expressions.afterFailure(this.isOne));
    this.next = new sfn.Choice(scope, 'Next pack', { queryLanguage: sfn.QueryLanguage.JSONATA });
  }

  build(): sfn.IChainable {
    const { scope, next, split } = this;
    split.next(next);
    const pack = this.pass('Pack', {
      ...expressions.NEXT_PACK,
      run: `{% ${FRAGMENT_RUN} %}`,
      begun: '{% $millis() %}',
      calls: [],
    });
    pack.next(this.pipeline());
    const done = sfn.Pass.jsonata(scope, 'Done', { outputs: { results: '{% $results %}', failures: EMPTY } });
    next
      .when(sfn.Condition.jsonata('{% $isToFind %}'), this.find().next(next))
      .when(sfn.Condition.jsonata(`{% $count($queue) > 0 and ${expressions.HAS_TIME} %}`), pack)
      .when(sfn.Condition.jsonata('{% $count($failed) > 0 %}'), this.report())
      .otherwise(done);
    return this.ramp().next(next);
  }

  /** The first children start slowly, because Lambda does. The others start when one of the first ends. */
  private ramp(): sfn.Wait {
    const { itemsPerRun, maxConcurrency } = this.props.sizes;
    const child = `$floor($states.input.Items[0].index / ${itemsPerRun})`;
    const { kind } = this.props.items;
    const index = '$states.input.BatchInput.index';
    const seconds = `${child} < ${maxConcurrency} ? $floor(${child} / ${RAMP_CHILDREN_PER_SECOND}) : 0`;
    return sfn.Wait.jsonata(this.scope, 'Ramp', {
      time: sfn.WaitTime.seconds(`{% ${seconds} %}`),
      assign: {
        queue: expressions.itemsOfChild(kind),
        ...{ results: [], failed: [] },
        prefix: '{% $states.input.BatchInput.prefix %}',
        salt: '{% $states.input.BatchInput.salt %}',
        index: `{% ${index} %}`,
        // A list of objects tells the ETags that they have before the preprocess function reads them.
        isToFind: `{% ${this.props.pipeline.preprocess && kind !== 'objects' ? 'true' : `${index} != ''`} %}`,
        execution: '{% $states.input.BatchInput.execution %}',
      },
      outputs: {},
    });
  }

  private find(): InvokeFunction {
    const payload = {
      find: { items: '{% [$queue.items] %}', index: '{% $index %}', prefix: '{% $prefix %}' },
    };
    return this.callBatch('Find results', payload, {
      isToFind: '{% false %}',
      results: '{% $states.result.Payload.results %}',
      queue: expressions.foundQueue(this.props.pipeline.preprocess !== undefined),
    });
  }

  private report(): InvokeFunction {
    const payload = {
      report: { execution: '{% $execution %}', failed: '{% $failed %}', done: '{% [$results.items] %}' },
    };
    return this.callBatch('Report failures', payload, undefined, {
      results: '{% $results %}',
      failures: '{% $states.result.Payload.key %}',
    });
  }

  private callBatch(
    id: string,
    payload: Record<string, unknown>,
    assign?: Record<string, unknown>,
    outputs: unknown = {},
  ): InvokeFunction {
    const task = callBatch(this.scope, id, this.props.fn, payload, { ...(assign && { assign }), outputs });
    for (const retry of CALL_RETRIES) task.addRetry(retry);
    return task;
  }

  /** The states of one pack, from its first function to `Next`. */
  private pipeline(): sfn.IChainable {
    const { preprocess, whole } = this.props.pipeline;
    const slices = this.slices();
    const start = whole ? this.wholeModel(whole, slices) : slices;
    return preprocess ? this.preprocess(preprocess).next(start) : start;
  }

  private slices(): sfn.IChainable {
    const { functions } = this.props.pipeline;
    const last = functions.length - 1;
    const callsAfter = this.callsAfterSlices;
    const tasks = functions.map((fn, slice) => {
      const payload = {
        ...this.identity(),
        pack: {
          until: `{% ${expressions.until(functions.length - slice + callsAfter)} %}`,
          ...(slice === 0 && this.itemsOfPack(true)),
          ...(slice === last && this.resultsOfPack()),
        },
      };
      const where = `'slice': ${slice}`;
      const assign =
        slice === last ? this.afterPack(where) : { calls: expressions.jsonata(expressions.callsWith(where)) };
      return this.call(`Slice ${String(slice).padStart(2, '0')}`, fn, payload, assign);
    });
    for (const [slice, task] of tasks.entries())
      task.next(slice === last ? this.afterSlices() : tasks[slice + 1]);
    return tasks[0];
  }

  private afterPack(where: string): Record<string, string> {
    return expressions.afterPack(where, this.props.pipeline.postprocess === undefined);
  }

  private storing: sfn.Choice | undefined;

  /** A postprocess function answers as many results at a time as a state holds, and the batch's function stores the answers. */
  private afterSlices(): sfn.IChainable {
    const { postprocess } = this.props.pipeline;
    if (postprocess === undefined) return this.next;
    if (this.storing !== undefined) return this.storing;
    const { scope, isOne } = this;
    const storing = new sfn.Choice(scope, 'Has results', { queryLanguage: sfn.QueryLanguage.JSONATA });
    this.storing = storing;
    const identity = `{'version': ${CONTRACT_VERSION}, 'deploymentDigest': '${this.props.pipeline.plan.deploymentDigest}', 'run': $run}`;
    const handle = this.call(
      'Postprocess',
      postprocess,
      expressions.outputsToHandle(identity, this.props.bucket, isOne),
      { answers: expressions.answersOfPostprocess(isOne) },
      this.caught(!isOne),
    );
    const store = this.callBatch(
      'Store answers',
      { store: expressions.ANSWERS_TO_STORE },
      expressions.AFTER_STORE,
    );
    store.addCatch(this.split, this.caught());
    handle.next(store).next(storing);
    storing
      .when(sfn.Condition.jsonata(expressions.HANDS_BACK), this.next, { assign: expressions.HANDED_BACK })
      .when(sfn.Condition.jsonata(expressions.HAS_OUTPUTS), handle)
      .otherwise(this.next);
    return storing;
  }

  private preprocess(fn: TaskFunction): InvokeFunction {
    const { isOne } = this;
    const { kind, bucket } = this.props.items;
    const calls = 1 + this.props.pipeline.functions.length + this.callsAfterSlices;
    const payload = isOne
      ? expressions.jsonata(expressions.handledItem('$items[0].value', kind, bucket))
      : expressions.packToHandle(calls, kind, bucket);
    return this.call('Preprocess', fn, payload, expressions.afterPreprocess(isOne), this.caught(!isOne));
  }

  /** Asks the function of the whole model, which has half of the time, and loads it for later packs if it is cold. */
  private wholeModel(whole: WholeModelStates, slices: sfn.IChainable): sfn.IChainable {
    const { scope } = this;
    const until = `{% ${expressions.until(2)} %}`;
    const payload = {
      ...this.identity(),
      ...{ ifWarm: true, pack: { until, ...this.itemsOfPack(false), ...this.resultsOfPack() } },
    };
    const ask = new InvokeFunction(scope, 'Ask whole model', {
      ...{ fn: whole.fn, grantsCall: false, payload },
      timeout: expressions.timeout(2),
      // An error, so that the state catches it: the slices run then.
      outputs:
        "{% $states.result.Payload.cold ? $error('the whole model is cold, so the slices run') : {} %}",
      assign: this.afterPack("'whole': true"),
    });
    const load = loadWholeModel(scope, { ...whole, grantsCall: false, event: this.identity() }, 'askedAt');
    load.next(slices);
    ask.addCatch(load, {
      errors: [sfn.Errors.ALL],
      outputs: {},
      assign: { askedAt: '{% $toMillis($states.context.State.EnteredTime) %}' },
    });
    return ask.next(this.afterSlices());
  }

  private identity(): Record<string, unknown> {
    return {
      version: CONTRACT_VERSION,
      deploymentDigest: this.props.pipeline.plan.deploymentDigest,
      run: '{% $run %}',
      executionArn: '{% $states.context.Execution.Id %}',
    };
  }

  private itemsOfPack(hasLaterSlices: boolean): Record<string, unknown> {
    const { items, bucket, pipeline } = this.props;
    const { slices, outputs } = pipeline.plan;
    const later = [...slices.slice(1).flatMap(({ inputs }) => inputs), ...outputs];
    const ofRequest = later.flatMap(({ name, source }) => (source.from === 'request' ? [name] : []));
    const handedOn = slices.length > 1 && hasLaterSlices ? [...new Set(ofRequest)].sort() : [];
    return {
      items: '{% $items %}',
      source: {
        ...{ kind: items.kind, bucket, itemsBucket: items.bucket },
        ...(items.column !== undefined && { column: items.column }),
        ...(pipeline.preprocess && { hasPreprocess: true }),
      },
      ...(handedOn.length > 0 && { handedOn }),
    };
  }

  private resultsOfPack(): Record<string, unknown> {
    const inline = this.isOne && this.props.pipeline.postprocess !== undefined;
    return { resultsPrefix: '{% $prefix %}', salt: '{% $salt %}', ...(inline && { inline }) };
  }

  /** Whether handlers get one item, as in an execution of the pipeline. */
  private get isOne(): boolean {
    return this.props.sizes.itemsPerRun === 1;
  }

  private get callsAfterSlices(): number {
    return this.props.pipeline.postprocess === undefined ? 0 : 1;
  }

  private call(
    id: string,
    fn: TaskFunction,
    payload: string | Record<string, unknown>,
    assign: Readonly<Record<string, string>>,
    caught = this.caught(),
  ): InvokeFunction {
    const timeout = expressions.timeout(1);
    const own = { fn, grantsCall: false, payload: this.forStep(fn, payload), assign, outputs: {}, timeout };
    const task = new InvokeFunction(this.scope, id, own);
    for (const retry of PACK_RETRIES) task.addRetry(retry);
    task.addCatch(this.split, caught);
    return task;
  }

  /** A function that also runs the model learns which step it is asked for. */
  private forStep({ step }: TaskFunction, payload: string | Record<string, unknown>) {
    if (step === undefined) return payload;
    const { version, deploymentDigest } = this.identity();
    const event = typeof payload === 'string' ? payload : { ...payload };
    return { version, deploymentDigest, step, event };
  }

  private caught(getsPacks = false): sfn.CatchProps {
    return { errors: [sfn.Errors.ALL], assign: { failure: expressions.failureOf(getsPacks) }, outputs: {} };
  }

  private pass(id: string, assign: Record<string, unknown>): sfn.Pass {
    return sfn.Pass.jsonata(this.scope, id, { assign, outputs: {} });
  }
}
