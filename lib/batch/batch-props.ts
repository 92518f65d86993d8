/** The props of `SlicedInferenceBatch`, and their checks. */
import { Duration, Token } from 'aws-cdk-lib';
import { plannedItems } from '../cost/batch-items';
import { MAX_CHILDREN, MAX_ITEMS_PER_RUN } from '../cost/batch-limits';
import { SlicedInferenceError } from '../errors';
import type { DeployedModel } from '../pipeline/deployed-model';
import type { BatchItems } from './batch-items';

/** Properties of `SlicedInferenceBatch`. */
export interface SlicedInferenceBatchProps {
  /** The pipeline or function that runs the items. It must be in the same stack, because the batch calls its functions. */
  readonly pipeline: DeployedModel;

  /** What the items are, and where they are. */
  readonly items: BatchItems;

  /**
   * The most items of one child execution, from 1 to 500. One run takes them through every slice: a call for each slice, and an object for
   * the tensors of all items. All of them must end within 275 seconds of the five minutes of an Express execution. With 1, functions before
   * and after the slices get an item as an execution of the pipeline does; otherwise the handlers of this package call your code for each item.
   *
   * @default - as many as compute for 20 seconds by the model of cost, and whose tensors functions hold; 16 of a `slicedModel`
   */
  readonly itemsPerRun?: number;

  /**
   * The most child executions at once, from 1 to 10,000. Each calls one function at a time, and each call needs one unit of Lambda concurrency. Accounts have 1,000 by default; new accounts may have 10. The first `maxConcurrency` children start at 100 a
   * second; after that, one starts when another ends.
   *
   * @default 100
   */
  readonly maxConcurrency?: number;

  /**
   * The most failed items of a batch that succeeds: a whole number. The batch counts when all items have run.
   *
   * @default - any number
   */
  readonly toleratedFailures?: number;

  /**
   * The most failed items of a batch that succeeds, of 100 items: from 0 to 100. The batch counts when all items have run.
   *
   * @default 100
   */
  readonly toleratedFailurePercentage?: number;

  /**
   * After this time the batch ends. Start it again to do the rest.
   *
   * @default Duration.days(1)
   */
  readonly timeout?: Duration;
}

const DEFAULT_CHILDREN = 100;

export interface BatchSizes {
  readonly itemsPerRun: number;
  readonly maxConcurrency: number;
  readonly toleratedFailures?: number;
  readonly toleratedFailurePercentage: number;
  readonly timeout: Duration;
}

/** @throws SlicedInferenceError for a value that AWS does not allow */
export function batchSizes(props: SlicedInferenceBatchProps): BatchSizes {
  const { pipeline, toleratedFailures, timeout = Duration.days(1) } = props;
  const { maxConcurrency = DEFAULT_CHILDREN, toleratedFailurePercentage = 100 } = props;
  const { batchItem } = pipeline._deployed;
  const planned = batchItem ? plannedItems(batchItem, maxConcurrency) : UNKNOWN_ITEMS_PER_RUN;
  const itemsPerRun = props.itemsPerRun ?? planned;
  check({ itemsPerRun }, 'a whole number', 1, MAX_ITEMS_PER_RUN);
  check({ maxConcurrency }, 'a whole number', 1, MAX_CHILDREN);
  check({ toleratedFailures: toleratedFailures ?? 0 }, 'a whole number', 0, Infinity);
  check({ toleratedFailurePercentage }, 'a number', 0, 100);
  if (!timeout.isUnresolved() && timeout.toSeconds({ integral: false }) < 1) {
    const got = timeout.toHumanString();
    throw new SlicedInferenceError('timeout must be 1 second or more', got, 'use a longer one');
  }
  return {
    ...{ itemsPerRun, maxConcurrency, toleratedFailurePercentage, timeout },
    ...(toleratedFailures !== undefined && { toleratedFailures }),
  };
}

/** @param prop its name and its value */
function check(prop: Readonly<Record<string, number>>, kind: string, least: number, most: number): void {
  const [[name, value]] = Object.entries(prop);
  const isToken = Token.isUnresolved(value);
  const isOfKind = kind === 'a number' || Number.isInteger(value);
  if (!isToken && isOfKind && value >= least && value <= most) return;
  const range = most === Infinity ? `of ${least} or more` : `from ${least} to ${most}`;
  const got = isToken ? 'a CDK token' : String(value);
  throw new SlicedInferenceError(`${name} must be ${kind} ${range}`, got, 'use one of these');
}

/** Without a model of cost. */
const UNKNOWN_ITEMS_PER_RUN = 16;
