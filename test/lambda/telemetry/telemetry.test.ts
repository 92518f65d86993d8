import { ENV } from '../../../contract/environment';
import { processorClass } from '../../../lambda/telemetry/processor';
import { event, RUN, sliceHandlers } from '../../support/slice-handler';

const slices = sliceHandlers();
const warmUp = event({ request: undefined, warmUp: true });
const namedHandler = (variables: Readonly<Record<string, string>> = {}) =>
  slices.handler(0, { AWS_LAMBDA_FUNCTION_NAME: 'the-function', ...variables });

describe('the log', () => {
  it('has a line for each call, with its measurements', async () => {
    const handler = namedHandler();
    await handler(event());
    await handler(event({ run: 'machine/run-2' }));
    const processor = processorClass();
    const call = { message: 'slice ran', FunctionName: 'the-function', slice: 0, bytesRead: 12, processor };
    expect(slices.lines).toMatchObject([
      { ...call, run: RUN, cold: true, warmedUp: false, coldStarts: 1 },
      { ...call, run: 'machine/run-2', cold: false, warmedUp: false, coldStarts: 0, loadMs: 0 },
    ]);
    expect(Object.keys(slices.lines[0])).not.toContain('_aws');
    expect(slices.lines[0].startedAt).toBeGreaterThan(1e12);
  });

  it('names the execution, the run, the slice, the request and the trace in each line, but no data', async () => {
    const traceId = '1-5759e988-bd862e3fe1be46a994272793';
    const handler = namedHandler({ _X_AMZN_TRACE_ID: `Root=${traceId};Parent=1;Sampled=1` });
    const executionArn = 'arn:aws:states:us-east-1:111122223333:execution:machine:run-1';
    const context = { getRemainingTimeInMillis: () => 60_000, awsRequestId: '3f2e' };
    const other = { warmUp: true, deploymentDigest: 'other' };
    await handler({ ...warmUp, executionArn }, context);
    await handler(event({ executionArn }), context);
    await expect(handler(event({ executionArn, request: {} }), context)).rejects.toThrow();
    await expect(handler(event({ executionArn, ...other }), context)).rejects.toThrow();
    const about = { executionArn, run: RUN, slice: 0, requestId: '3f2e', traceId };
    expect(slices.lines).toMatchObject([
      { level: 'INFO', message: 'slice is warm', cold: true, ...about },
      { level: 'INFO', message: 'slice ran', ...about },
      { level: 'ERROR', message: 'slice failed', error: 'InvalidInput', ...about },
      { level: 'WARN', message: 'warm-up failed', error: 'PlanChanged', ...about },
    ]);
  });

  it.each([
    ['a text', 'the password'],
    ['an ARN of another service', 'arn:aws:s3:us-east-1:111122223333:execution:machine:run-1'],
    ['an ARN with a line break', 'arn:aws:states:us-east-1:111122223333:execution:machine:run\n1'],
  ])('does not repeat %s as an execution', async (_, executionArn) => {
    await namedHandler()(event({ executionArn }));
    expect(slices.lines[0]).toMatchObject({ message: 'slice ran', run: RUN });
    expect(slices.lines[0]).not.toHaveProperty('executionArn');
  });

  it('counts the requests to S3 that each call made, by kind of bucket, also those that failed', async () => {
    const express = { SLICE_RUNS_BUCKET: 'runs--use1-az4--x-s3' };
    const handler = namedHandler(express);
    await handler(warmUp);
    await handler(event());
    await slices.handler(1, express)(event());
    await expect(slices.handler(1)(event({ run: 'machine/run-2' }))).rejects.toThrow();
    // The files of the slices, then tensors. The request was inline.
    expect(slices.lines).toMatchObject([
      { s3Gets: 2, s3Puts: 0, expressGets: 0, expressPuts: 0 },
      { s3Gets: 0, s3Puts: 0, expressGets: 0, expressPuts: 1 },
      { s3Gets: 1, s3Puts: 1, expressGets: 1, expressPuts: 0 },
      { s3Gets: expect.any(Number) as number, s3Puts: 0, expressGets: 0, expressPuts: 0 },
    ]);
    expect(slices.lines[3].s3Gets).toBeGreaterThan(0);
  });

  it('has CloudWatch metrics in the line of a call if a namespace is set', async () => {
    await namedHandler({ [ENV.metricsNamespace]: 'Mine' })(event());
    const [{ _aws, ...fields }] = slices.lines as { _aws: Record<string, unknown> }[];
    const Metrics = expect.arrayContaining([
      { Name: 'coldStarts', Unit: 'Count' },
      { Name: 'loadMs', Unit: 'Milliseconds' },
      { Name: 'peakMemoryBytes', Unit: 'Bytes' },
    ]) as object[];
    expect(_aws).toEqual({
      Timestamp: expect.any(Number) as number,
      CloudWatchMetrics: [{ Namespace: 'Mine', Dimensions: [['FunctionName']], Metrics }],
    });
    const [metrics] = _aws.CloudWatchMetrics as { Metrics: { Name: string }[] }[];
    // The value of each metric is a number in the same line.
    for (const { Name } of metrics.Metrics) {
      expect(typeof (fields as Record<string, unknown>)[Name]).toBe('number');
    }
  });
});
