import { ENV } from '../../../contract/environment';
import { event, RUN, SliceHandlers } from '../../support/slice-handler';

let slices: SliceHandlers;
beforeEach(() => (slices = new SliceHandlers()));
afterEach(() => {
  slices.remove();
});

describe('the log', () => {
  const CALL = {
    level: 'INFO',
    message: 'slice ran',
    FunctionName: 'the-function',
    run: RUN,
    slice: 0,
    cold: true,
    warmedUp: false,
    coldStarts: 1,
    bytesRead: 12,
  };
  const namedHandler = (variables: Readonly<Record<string, string>> = {}) =>
    slices.handler(0, { AWS_LAMBDA_FUNCTION_NAME: 'the-function', ...variables });

  it('has a line for each call, with its measurements', async () => {
    const handler = namedHandler();
    await handler(event());
    await handler(event({ run: 'machine/run-2' }));
    expect(slices.lines).toMatchObject([
      CALL,
      { ...CALL, run: 'machine/run-2', cold: false, coldStarts: 0, loadMs: 0 },
    ]);
    expect(Object.keys(slices.lines[0])).not.toContain('_aws');
    expect(slices.lines[0].startedAt).toBeGreaterThan(1e12);
  });

  it('names the execution, the run, the slice, the request and the trace in each line', async () => {
    const handler = namedHandler({
      _X_AMZN_TRACE_ID: 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=1;Sampled=1',
    });
    const executionArn = 'arn:aws:states:us-east-1:111122223333:execution:machine:run-1';
    const context = { getRemainingTimeInMillis: () => 60_000, awsRequestId: '3f2e' };
    await handler(event({ executionArn, request: undefined, warmUp: true }), context);
    await handler(event({ executionArn }), context);
    await expect(handler(event({ executionArn, request: {} }), context)).rejects.toThrow();
    await expect(
      handler(event({ executionArn, warmUp: true, deploymentDigest: 'other' }), context),
    ).rejects.toThrow();
    const about = {
      executionArn,
      run: RUN,
      slice: 0,
      requestId: '3f2e',
      traceId: '1-5759e988-bd862e3fe1be46a994272793',
    };
    expect(slices.lines).toMatchObject([
      { message: 'slice is warm', ...about },
      { message: 'slice ran', ...about },
      { message: 'slice failed', ...about },
      { message: 'warm-up failed', ...about },
    ]);
  });

  it.each([
    ['a text', 'the password'],
    ['a number', 7],
    ['an ARN of another service', 'arn:aws:s3:us-east-1:111122223333:execution:machine:run-1'],
    ['an ARN with a line break', 'arn:aws:states:us-east-1:111122223333:execution:machine:run\n1'],
    ['an ARN that is too long', `arn:aws:states:us-east-1:111122223333:execution:${'m:'.repeat(400)}m`],
  ])('does not repeat %s as an execution', async (_, executionArn) => {
    await namedHandler()(event({ executionArn }));
    expect(slices.lines[0]).toMatchObject({ message: 'slice ran', run: RUN });
    expect(slices.lines[0]).not.toHaveProperty('executionArn');
  });

  it('counts the requests to S3 that each call made', async () => {
    const handler = namedHandler();
    await handler(event({ request: undefined, warmUp: true }));
    await handler(event());
    // The files of the slice, then its outputs. The request was inline.
    expect(slices.lines).toMatchObject([
      { message: 'slice is warm', s3Gets: expect.any(Number) as number, s3Puts: 0, expressPuts: 0 },
      { message: 'slice ran', s3Gets: 0, s3Puts: 1, expressGets: 0 },
    ]);
    expect(slices.lines[0].s3Gets).toBeGreaterThan(0);
  });

  it('has CloudWatch metrics in the line of a call if a namespace is set', async () => {
    await namedHandler({ [ENV.metricsNamespace]: 'Mine' })(event());
    const [{ _aws, ...fields }] = slices.lines as { _aws: Record<string, unknown> }[];
    expect(_aws).toMatchObject({
      Timestamp: expect.any(Number) as number,
      CloudWatchMetrics: [
        {
          Namespace: 'Mine',
          Dimensions: [['FunctionName']],
          Metrics: expect.arrayContaining([
            { Name: 'coldStarts', Unit: 'Count' },
            { Name: 'loadMs', Unit: 'Milliseconds' },
            { Name: 'peakMemoryBytes', Unit: 'Bytes' },
          ]) as object[],
        },
      ],
    });
    const [{ Metrics }] = _aws.CloudWatchMetrics as { Metrics: { Name: string }[] }[];
    // The value of each metric is a number in the same line.
    for (const { Name } of Metrics) expect(typeof (fields as Record<string, unknown>)[Name]).toBe('number');
  });

  it('has a line for each warm-up and each failure, without the data of the request', async () => {
    const handler = namedHandler();
    await handler(event({ request: undefined, warmUp: true }));
    await expect(handler(event({ request: { version: 1, inputs: { tensors: {} } } }))).rejects.toThrow();
    expect(slices.lines).toMatchObject([
      { level: 'INFO', message: 'slice is warm', run: RUN, slice: 0, cold: true },
      { level: 'ERROR', message: 'slice failed', run: RUN, slice: 0, error: 'InvalidInput' },
    ]);
    await expect(handler(event({ warmUp: true, deploymentDigest: 'other' }))).rejects.toThrow();
    expect(slices.lines.at(-1)).toMatchObject({
      level: 'WARN',
      message: 'warm-up failed',
      slice: 0,
      error: 'PlanChanged',
    });
    await expect(handler(undefined as never)).rejects.toThrow('start the state machine');
  });
});
