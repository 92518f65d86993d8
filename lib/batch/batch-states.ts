/** The states of a batch: the search for earlier results, the distributed map and the table. */
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { CALL_RETRIES, SERVICE_RETRY, TABLE_RETRY } from '../aws/workflow/invoke-function';
import { callBatch, childStates, type ChildStates } from './child-states';
import { BatchMap, locationExpression, type BatchPlaces } from './distributed-map';

export interface BatchStates extends Omit<ChildStates, 'bucket'> {
  readonly places: BatchPlaces;
}

const INPUT = '$states.context.Execution.Input';

export function batchStates(scope: Construct, props: BatchStates): sfn.IChainable {
  const { places, sizes, fn } = props;
  const execution = '{% $states.context.Execution.Name %}';
  const again = `{% $exists(${INPUT}.again) and ${INPUT}.again = true %}`;
  const start = callBatch(
    scope,
    'Start',
    fn,
    { start: { execution, again } },
    { assign: { failure: {} }, outputs: '{% $states.result.Payload %}' },
  );
  for (const retry of CALL_RETRIES) start.addRetry(retry);
  const map = new BatchMap(scope, 'Items', places, sizes);
  // Without a configuration: CDK requires a type of execution in it, and then warns that it ignores it.
  map.itemProcessor(childStates(scope, { ...props, bucket: places.bucket.bucketName }));
  const written =
    "$count($keys($failure)) = 0 ? {'manifest': $states.input.ResultWriterDetails.Key} : {'failure': $failure}";
  const about = "{'execution': $states.context.Execution.Name, 'location': $location}";
  const table = callBatch(
    scope,
    'Table',
    fn,
    { table: `{% ($location := ${locationExpression(places.items)}; $merge([${about}, ${written}])) %}` },
    { outputs: '{% $states.result.Payload %}' },
  );
  for (const retry of [SERVICE_RETRY, TABLE_RETRY]) table.addRetry(retry);
  map.addCatch(table, {
    errors: [sfn.Errors.ALL],
    assign: { failure: '{% $states.errorOutput %}' },
    outputs: {},
  });
  return sfn.Chain.start(start).next(map).next(table);
}
