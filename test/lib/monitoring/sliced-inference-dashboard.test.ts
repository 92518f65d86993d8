import { Stack } from 'aws-cdk-lib';
import { Annotations, Template } from 'aws-cdk-lib/assertions';
import { SlicedInferenceDashboard, Slicing } from '../../../lib';
import { addPipeline, errorOf, newApp, newStack } from '../../support/pipeline-stack';

describe('the dashboard', () => {
  const LIST = 'pipelines must be a list of pipelines';

  test.each<[props: unknown, message: string]>([
    [
      undefined,
      'the props of SlicedInferenceDashboard must be an object, got undefined: pass { pipelines: [pipeline] }, for example',
    ],
    [{}, `${LIST}, got undefined: pass [pipeline], for example`],
    [{ pipelines: null }, `${LIST}, got null: pass [pipeline], for example`],
    [{ pipelines: 'Ocr' }, `${LIST}, got the string 'Ocr': pass [pipeline], for example`],
    [
      { pipelines: ['Ocr'] },
      "pipelines[0] must be a SlicedInferencePipeline, got the string 'Ocr': pass the construct itself",
    ],
    [
      { pipelines: [] },
      'pipelines must be a list of 1 pipeline or more, got an empty list: pass [pipeline], for example',
    ],
    [
      { pipeline: 'Ocr' },
      "the props of SlicedInferenceDashboard must have props that exist, got 'pipeline': use pipelines",
    ],
    [
      { pipelines: [], dashboard_name: 'models' },
      "the props of SlicedInferenceDashboard must have props that exist, got 'dashboard_name': use dashboardName",
    ],
  ])('refuses %j', (props, message) => {
    expect(errorOf(() => new SlicedInferenceDashboard(newStack(), 'Dashboard', props as never))).toBe(
      message,
    );
  });

  test('refuses a name that is no string', () => {
    const stack = newStack();
    const props = { pipelines: [addPipeline(stack, 'Pipeline')], dashboardName: 5 };
    expect(errorOf(() => new SlicedInferenceDashboard(stack, 'Dashboard', props as never))).toBe(
      'dashboardName must be a string, got 5: pass a string',
    );
  });

  test('warns of an unknown prop', () => {
    const stack = newStack();
    const props = { pipelines: [addPipeline(stack, 'Pipeline')], banana: 1 };
    new SlicedInferenceDashboard(stack, 'Dashboard', props);
    Annotations.fromStack(stack).hasWarning(
      '/Stack/Dashboard',
      "the props of SlicedInferenceDashboard must have props that exist, got 'banana', which has no effect: remove it " +
        '[ack: cdk-sliced-inference:unknownProp]',
    );
  });

  test('shows each pipeline in two rows of three graphs, and in three rows with sliceMetrics, with a line per slice', () => {
    const stack = newStack();
    const pipeline = addPipeline(stack, 'Pipeline', { slicing: Slicing.count(3) });
    const other = addPipeline(stack, 'Other', { sliceMetrics: true });
    new SlicedInferenceDashboard(stack, 'Dashboard', {
      pipelines: [pipeline, other],
      dashboardName: 'models',
    });
    const template = Template.fromStack(stack);
    template.hasResourceProperties('AWS::CloudWatch::Dashboard', { DashboardName: 'models' });
    const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'));
    const { 'Fn::Join': join } = (
      dashboard as { Properties: { DashboardBody: { 'Fn::Join': [string, unknown[]] } } }
    ).Properties.DashboardBody;
    const body = join[1].map((part) => (typeof part === 'string' ? part : 'token')).join('');
    const { widgets } = JSON.parse(body) as {
      widgets: { x: number; y: number; properties: { title: string; metrics: unknown[] } }[];
    };
    expect(
      widgets.map(({ properties, x, y }) => [properties.title, x, y, properties.metrics.length]),
    ).toEqual([
      ['Stack/Pipeline: runs', 0, 0, 4],
      ['Stack/Pipeline: time of a run', 8, 0, 3],
      ['Stack/Pipeline: p95 of calls', 16, 0, 3],
      ['Stack/Pipeline: calls', 0, 6, 3],
      ['Stack/Pipeline: failed calls', 8, 6, 3],
      ['Stack/Pipeline: calls without capacity', 16, 6, 3],
      ['Stack/Other: runs', 0, 12, 4],
      ['Stack/Other: time of a run', 8, 12, 3],
      ['Stack/Other: p95 of calls', 16, 12, 1],
      ['Stack/Other: calls', 0, 18, 1],
      ['Stack/Other: failed calls', 8, 18, 1],
      ['Stack/Other: calls without capacity', 16, 18, 1],
      ['Stack/Other: cold starts', 0, 24, 1],
      ["Stack/Other: p95 of ONNX Runtime's run", 8, 24, 1],
      ['Stack/Other: peak memory', 16, 24, 1],
    ]);
  });

  test('may be in another stack than its pipeline', () => {
    const app = newApp();
    const pipeline = addPipeline(new Stack(app, 'Stack'), 'Pipeline');
    const watching = new Stack(app, 'Watching');
    new SlicedInferenceDashboard(watching, 'Dashboard', { pipelines: [pipeline] });
    Template.fromStack(watching).resourceCountIs('AWS::CloudWatch::Dashboard', 1);
  });
});
