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
