import { type SlicedInferencePipelineProps, SliceMetric, Slicing } from '../../../lib';
import { addPipeline, errorOf, newStack, pipelineStack } from '../../support/pipeline-stack';

describe('the metrics of a pipeline', () => {
  const stack = newStack();
  const pipeline = addPipeline(stack, 'Pipeline', { slicing: Slicing.count(3) });

  test('take the figures of runs from the state machine', () => {
    const metrics = [
      pipeline.metricStarted(),
      pipeline.metricSucceeded(),
      pipeline.metricFailed(),
      pipeline.metricTimedOut(),
      pipeline.metricTime(),
    ];
    expect(metrics.map(({ namespace, metricName, statistic }) => [namespace, metricName, statistic])).toEqual(
      [
        ['AWS/States', 'ExecutionsStarted', 'Sum'],
        ['AWS/States', 'ExecutionsSucceeded', 'Sum'],
        ['AWS/States', 'ExecutionsFailed', 'Sum'],
        ['AWS/States', 'ExecutionsTimedOut', 'Sum'],
        ['AWS/States', 'ExecutionTime', 'Average'],
      ],
    );
    for (const { dimensions } of metrics) {
      expect(stack.resolve(dimensions)).toEqual({
        StateMachineArn: stack.resolve(pipeline.stateMachine.stateMachineArn) as unknown,
      });
    }
  });

  test('take the figures of slices from their functions, over all versions', () => {
    const metrics = [
      pipeline.metricSliceInvocations(1),
      pipeline.metricSliceDuration(1, { statistic: 'p95' }),
      pipeline.metricSliceErrors(1),
      pipeline.metricSliceThrottles(1),
    ];
    expect(metrics.map(({ namespace, metricName, statistic }) => [namespace, metricName, statistic])).toEqual(
      [
        ['AWS/Lambda', 'Invocations', 'Sum'],
        ['AWS/Lambda', 'Duration', 'p95'],
        ['AWS/Lambda', 'Errors', 'Sum'],
        ['AWS/Lambda', 'Throttles', 'Sum'],
      ],
    );
    for (const { dimensions } of metrics) {
      expect(stack.resolve(dimensions)).toEqual({
        FunctionName: stack.resolve(pipeline.functions[1].functionName) as unknown,
      });
    }
  });

  test.each([3, -1, 0.5, NaN])('refuse slice %d of three slices', (slice) => {
    expect(errorOf(() => pipeline.metricSliceErrors(slice))).toBe(
      `slice must be a whole number from 0 to 2, got ${slice}: pass the index of one of the pipeline's slices`,
    );
  });
});

describe('sliceMetrics', () => {
  test('makes the functions report metrics, which they do not by default', () => {
    const variables = (props: Partial<SlicedInferencePipelineProps>) =>
      pipelineStack(props).resource('Pipeline/slice-00/Function').Environment as {
        Variables: Record<string, unknown>;
      };
    expect(variables({ sliceMetrics: true }).Variables.SLICE_METRICS_NAMESPACE).toBe('SlicedInference');
    expect(variables({}).Variables).not.toHaveProperty('SLICE_METRICS_NAMESPACE');
  });

  test('makes metricSlice return each metric with its name and statistic', () => {
    const { pipeline } = pipelineStack({ sliceMetrics: true });
    const [cold, memory] = [SliceMetric.COLD_STARTS, SliceMetric.PEAK_MEMORY].map((metric) =>
      pipeline.metricSlice(0, metric),
    );
    expect(cold).toMatchObject({
      namespace: 'SlicedInference',
      metricName: 'coldStarts',
      statistic: 'Sum',
      dimensions: { FunctionName: pipeline.functions[0].functionName },
    });
    expect(memory.statistic).toBe('Maximum');
    expect(pipeline.metricSlice(0, SliceMetric.RUN_TIME, { statistic: 'p95' }).statistic).toBe('p95');
  });

  test('is required by metricSlice', () => {
    expect(errorOf(() => pipelineStack().pipeline.metricSlice(0, SliceMetric.RUN_TIME))).toBe(
      'metricSlice must be called on a pipeline with sliceMetrics, got one without: set its sliceMetrics to true',
    );
  });
});
